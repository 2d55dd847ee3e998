//! The vault's data keys: found by their names, unwrapped once, made when one is due.

pub mod erase;
pub mod rewrap;
pub mod rotate;
pub mod status;

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

use super::{Error, World};
use crate::{
    error::FormatError,
    model::{KeyId, KeyPurpose, ObjectName, Scope, VaultId, prefix},
    policy::keys::is_current,
    ports::{DataKey, KeyContext, Keyring, KeyringError, Vault, VaultError, WrappedKey, random},
    records::key::KeyRecord,
    stages::seal::{NamingKey, SealingKey, key_check, same_check},
};

/// The data keys of one vault, each unwrapped at most once in the life of the chest.
pub struct KeyChest {
    world: World,
    vault: VaultId,
    /// By what they are for, the oldest first.
    kept: HashMap<(KeyPurpose, Scope), BTreeSet<KeyId>>,
    sealing: Cells<KeyId, SealingKey>,
    current: Cells<(KeyPurpose, Scope), SealingKey>,
    naming: Cells<Scope, NamingKey>,
    kept_naming: Cells<Scope, NamingKey>,
    /// Keys that were found erased, and when they were.
    erased: Mutex<HashMap<KeyId, Timestamp>>,
}

impl KeyChest {
    /// Looks which keys there are. Opens none yet.
    pub async fn open(world: &World, vault: VaultId) -> Result<Self, Error> {
        let mut kept = HashMap::<_, BTreeSet<KeyId>>::new();
        for id in ids(&*world.vault).await? {
            kept.entry((id.purpose(), id.scope().clone())).or_default().insert(id);
        }
        Ok(Self {
            world: world.clone(),
            vault,
            kept,
            sealing: Cells::default(),
            current: Cells::default(),
            naming: Cells::default(),
            kept_naming: Cells::default(),
            erased: Mutex::default(),
        })
    }

    /// The vault that these keys belong to.
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// The sealing key with this id.
    ///
    /// # Errors
    /// [`Error::Erased`] if it was.
    pub async fn sealing(&self, id: &KeyId) -> Result<Arc<SealingKey>, Error> {
        let unwrap = async || Ok(SealingKey::new(id.clone(), &self.unwrap(id).await?));
        self.sealing.get(id.clone(), unwrap).await
    }

    /// The key that seals from now on: this month's, or a new one.
    pub async fn current(
        &self,
        purpose: KeyPurpose,
        scope: &Scope,
    ) -> Result<Arc<SealingKey>, Error> {
        let find = async || {
            let now = self.world.clock.now();
            let newest = self.newest(purpose, scope).filter(|id| is_current(id, now));
            let (id, key) = self.unwrap_first_or_generate(newest, purpose, scope).await?;
            Ok(SealingKey::new(id, &key))
        };
        self.current.get((purpose, scope.clone()), find).await
    }

    /// The key that names chunks of this scope: always the same one, so that equal rows have equal names.
    pub async fn naming(&self, scope: &Scope) -> Result<Arc<NamingKey>, Error> {
        let find = async || {
            let oldest_first = self.of(KeyPurpose::Naming, scope);
            let (_, key) =
                self.unwrap_first_or_generate(oldest_first, KeyPurpose::Naming, scope).await?;
            Ok(NamingKey::new(key))
        };
        self.naming.get(scope.clone(), find).await
    }

    /// The key that names chunks of this scope, if there is one. None is made.
    ///
    /// # Errors
    /// [`Error::Erased`] if there was one.
    pub async fn kept_naming(&self, scope: &Scope) -> Result<Option<Arc<NamingKey>>, Error> {
        if self.of(KeyPurpose::Naming, scope).next().is_none() {
            return Ok(None);
        }
        let find = async || {
            let left = self.unwrap_first(self.of(KeyPurpose::Naming, scope)).await?;
            let (_, key) = left.ok_or(Error::Internal("a naming key that is none"))?;
            Ok(NamingKey::new(key))
        };
        self.kept_naming.get(scope.clone(), find).await.map(Some)
    }

    /// The first of these keys that was not erased, or a new one.
    async fn unwrap_first_or_generate<'a>(
        &self,
        found: impl IntoIterator<Item = &'a KeyId>,
        purpose: KeyPurpose,
        scope: &Scope,
    ) -> Result<(KeyId, DataKey), Error> {
        match self.unwrap_first(found).await {
            Ok(None) | Err(Error::Erased { .. }) => self.generate(purpose, scope).await,
            Ok(Some(found)) => Ok(found),
            Err(error) => Err(error),
        }
    }

    /// The first of these keys that was not erased; `None` if there is no key at all.
    async fn unwrap_first<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a KeyId>,
    ) -> Result<Option<(KeyId, DataKey)>, Error> {
        let mut erased = None;
        for id in keys {
            match self.unwrap(id).await {
                Err(error @ Error::Erased { .. }) => erased = Some(error),
                unwrapped => return Ok(Some((id.clone(), unwrapped?))),
            }
        }
        erased.map_or(Ok(None), Err)
    }

    fn of(&self, purpose: KeyPurpose, scope: &Scope) -> impl DoubleEndedIterator<Item = &KeyId> {
        self.kept.get(&(purpose, scope.clone())).into_iter().flatten()
    }

    fn newest(&self, purpose: KeyPurpose, scope: &Scope) -> Option<&KeyId> {
        self.of(purpose, scope).next_back()
    }

    async fn generate(
        &self,
        purpose: KeyPurpose,
        scope: &Scope,
    ) -> Result<(KeyId, DataKey), Error> {
        self.generate_at(self.world.clock.now(), purpose, scope).await
    }

    /// Makes a key that seals in the place of all there are for this purpose and scope.
    async fn replace(&self, purpose: KeyPurpose, scope: &Scope) -> Result<KeyId, Error> {
        let second = SignedDuration::from_secs(1);
        let newest = self.newest(purpose, scope).and_then(KeyId::created);
        let next = newest.and_then(|newest| newest.checked_add(second).ok());
        let now = self.world.clock.now();
        let at = next.map_or(now, |next| next.max(now));
        Ok(self.generate_at(at, purpose, scope).await?.0)
    }

    async fn generate_at(
        &self,
        at: Timestamp,
        purpose: KeyPurpose,
        scope: &Scope,
    ) -> Result<(KeyId, DataKey), Error> {
        let id = KeyId::new(purpose, scope.clone(), at, random(&*self.world.entropy));
        let context = KeyContext { vault: self.vault, key: id.clone() };
        let (key, wrapped) = self.world.keyring.generate(&context).await?;
        let record = KeyRecord::new(id.clone(), self.vault, key_check(&id, &key), wrapped);
        let written = record.write().map_err(|source| unwritable(&id, source))?;
        self.world.vault.put(&ObjectName::key(&id), written).await?;
        Ok((id, key))
    }

    /// Was the key erased? One that can't be read was not.
    async fn is_erased(&self, id: &KeyId) -> Result<bool, Error> {
        match read(&*self.world.vault, self.vault, id).await {
            Ok(record) => Ok(record.erased.is_some()),
            Err(Error::Damaged { .. } | Error::Vault(VaultError::Missing { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn unwrap(&self, id: &KeyId) -> Result<DataKey, Error> {
        let known = self.lock_erased().get(id).copied();
        if let Some(at) = known {
            return Err(Error::Erased { key: id.clone(), at });
        }
        let record = read(&*self.world.vault, self.vault, id).await?;
        if let Some(erased) = record.erased {
            self.lock_erased().insert(id.clone(), erased.at);
            return Err(Error::Erased { key: record.key, at: erased.at });
        }
        Ok(open(&*self.world.keyring, &record).await?)
    }

    fn lock_erased(&self) -> MutexGuard<'_, HashMap<KeyId, Timestamp>> {
        self.erased.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ids of all data keys of a vault, erased ones among them, by purpose, scope and age.
pub(super) async fn ids(vault: &dyn Vault) -> Result<BTreeSet<KeyId>, Error> {
    let objects = vault.list(prefix::KEYS).await?;
    let stems = objects.iter().filter_map(|object| object.name.stem(prefix::KEYS, ".json"));
    Ok(stems.filter_map(|stem| stem.parse().ok()).collect())
}

/// The record of this key of this vault.
pub(super) async fn read(vault: &dyn Vault, of: VaultId, id: &KeyId) -> Result<KeyRecord, Error> {
    let bytes = vault.get(&ObjectName::key(id)).await?;
    parse(&bytes, of, id)
}

fn parse(bytes: &[u8], of: VaultId, id: &KeyId) -> Result<KeyRecord, Error> {
    let source = match KeyRecord::read(bytes) {
        Ok(record) if record.key == *id && record.vault == of => return Ok(record),
        Ok(_) => of_another_key(&id.to_string()),
        Err(source) => source,
    };
    Err(Error::Damaged { name: ObjectName::key(id), source })
}

/// Opens a data key by whichever of its wrappings this keyring opens.
async fn open(keyring: &dyn Keyring, record: &KeyRecord) -> Result<DataKey, KeyringError> {
    let mut refusal = KeyringError::NotForUs {
        key: record.key.clone(),
        keyring: keyring.describe(),
        wrapped_for: record.wrapped_for(),
    };
    for wrapped in record.wrapped.iter().filter(|wrapped| keyring.opens(wrapped)) {
        match open_wrapping(keyring, record, wrapped).await {
            Ok(key) => return Ok(key),
            // What may open later is not said to be lost.
            Err(_) if refusal.is_retryable() => {}
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// Opens one wrapping of a data key, and checks that it is the key: keyrings are not trusted to tell.
async fn open_wrapping(
    keyring: &dyn Keyring,
    record: &KeyRecord,
    wrapped: &WrappedKey,
) -> Result<DataKey, KeyringError> {
    let context = KeyContext { vault: record.vault, key: record.key.clone() };
    let key = keyring.unwrap(wrapped, &context).await?;
    if same_check(&key_check(&record.key, &key), &record.check) {
        return Ok(key);
    }
    let keyring = keyring.describe();
    Err(KeyringError::DoesNotOpen { key: context.key, keyring, source: None })
}

/// A record in the place of the key `id` that is another's.
pub(super) fn of_another_key(id: &str) -> FormatError {
    FormatError::Seal { kind: "key", name: id.to_owned() }
}

fn unwritable(id: &KeyId, source: FormatError) -> Error {
    Error::Unwritable { what: format!("the record of key {id}"), source }
}

/// Values that are made once each, by whoever needs them first, while others wait.
struct Cells<K, V>(Mutex<HashMap<K, Arc<OnceCell<Arc<V>>>>>);

impl<K, V> Default for Cells<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Cells<K, V> {
    async fn get(
        &self,
        key: K,
        make: impl AsyncFnOnce() -> Result<V, Error>,
    ) -> Result<Arc<V>, Error> {
        let cell = Arc::clone(
            self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default(),
        );
        cell.get_or_try_init(async || make().await.map(Arc::new)).await.cloned()
    }
}
