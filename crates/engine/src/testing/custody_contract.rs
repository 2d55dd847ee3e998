//! What every store must do that locks objects, or removes them.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::{
    model::{ObjectName, PackId, RunId},
    ports::{Locks, Removal, Remover, Vault, VaultError},
};

fn fresh(number: u32) -> ObjectName {
    let run: RunId = "20261124T030000Z-0c0ffee0".parse().expect("an id");
    ObjectName::pack(&PackId::new(run, number))
}

async fn names(vault: &dyn Vault) -> Vec<ObjectName> {
    let listed = vault.list("").await.expect("a listing");
    listed.into_iter().map(|object| object.name).collect()
}

/// Holds a store to the contract of [`Remover`]. `vault` is empty, and locks nothing by itself.
pub async fn remover_contract(vault: &dyn Vault, remover: &dyn Remover) {
    let (name, beside) = (fresh(1), fresh(2));
    for name in [&name, &beside] {
        vault.put(name, Bytes::from_static(b"a pack")).await.expect("a write");
    }
    assert_eq!(remover.remove(&name).await.expect("a removal"), Removal::Done);
    assert_eq!(names(vault).await, std::slice::from_ref(&beside), "no other object is touched");
    let missing = vault.get(&name).await;
    assert!(matches!(missing, Err(VaultError::Missing { .. })), "{missing:?}");
    assert_eq!(remover.remove(&name).await.expect("once more"), Removal::Done);

    let lease = ObjectName::lock();
    let first = vault.swap(&lease, None, Bytes::from_static(b"1")).await.expect("a write");
    vault.swap(&lease, Some(&first), Bytes::from_static(b"2")).await.expect("another write");
    assert_eq!(remover.remove(&lease).await.expect("a removal"), Removal::Done);
    assert_eq!(vault.read(&lease).await.expect("a read"), None, "no older version in its place");

    let first = vault.swap(&lease, None, Bytes::from_static(b"1")).await.expect("a write");
    let second = vault.swap(&lease, Some(&first), Bytes::from_static(b"2")).await.expect("a write");
    vault.swap(&lease, Some(&second), Bytes::from_static(b"3")).await.expect("a write");
    for of in [&lease, &beside, &fresh(9)] {
        assert_eq!(remover.remove_older(of).await.expect("a removal"), Removal::Done);
    }
    assert_eq!(vault.get(&lease).await.expect("a read"), "3", "the newest version stays");
    assert_eq!(vault.get(&beside).await.expect("a read"), "a pack", "and the only one");
    assert_eq!(remover.remove(&lease).await.expect("a removal"), Removal::Done);

    vault.put(&name, Bytes::from_static(b"again")).await.expect("the name is free again");
    assert_eq!(vault.get(&name).await.expect("a read"), "again");
    for name in [&name, &beside] {
        remover.remove(name).await.expect("a removal");
    }
}

/// Holds a store that locks objects to the contract of [`Locks`]. `vault` locks nothing by itself.
pub async fn locks_contract(
    vault: &dyn Vault,
    locks: &dyn Locks,
    remover: &dyn Remover,
    now: Timestamp,
) {
    assert!(locks.are_kept().await.expect("an answer"));
    let (name, hours) = (fresh(3), |hours| now + SignedDuration::from_hours(hours));
    for missing in
        [locks.locked_until(&name).await.map(drop), locks.lock_until(&name, hours(1)).await]
    {
        assert!(matches!(missing, Err(VaultError::Missing { .. })), "{missing:?}");
    }
    vault.put(&name, Bytes::from_static(b"a pack")).await.expect("a write");
    assert_eq!(locks.locked_until(&name).await.expect("an answer"), None);

    locks.lock_until(&name, hours(1)).await.expect("a lock");
    assert_eq!(locks.locked_until(&name).await.expect("an answer"), Some(hours(1)));
    locks.lock_until(&name, hours(3)).await.expect("a longer lock");
    assert_eq!(locks.locked_until(&name).await.expect("an answer"), Some(hours(3)));
    locks.lock_until(&name, hours(2)).await.expect_err("a shorter lock");
    assert_eq!(locks.locked_until(&name).await.expect("an answer"), Some(hours(3)));

    let removal = remover.remove(&name).await.expect("an answer");
    assert_eq!(removal, Removal::Locked(Some(hours(3))));
    assert_eq!(vault.get(&name).await.expect("it is there"), "a pack");

    let (_, found) = vault.read(&name).await.expect("a read").expect("an object");
    vault.swap(&name, Some(&found), Bytes::from_static(b"anew")).await.expect("a new version");
    let removal = remover.remove_older(&name).await.expect("an answer");
    assert_eq!(removal, Removal::Locked(Some(hours(3))), "the version that was locked stays");
    assert_eq!(vault.get(&name).await.expect("it is there"), "anew");
}
