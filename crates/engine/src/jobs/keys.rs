//! The vault's data keys: found by their names, unwrapped once, made when one is due.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use super::{Error, World};
use crate::{
    error::FormatError,
    model::{KeyId, KeyPurpose, ObjectName, Scope, VaultId, prefix},
    policy::keys::is_current,
    ports::{DataKey, KeyContext, KeyringError, random},
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
}

impl KeyChest {
    /// Looks which keys there are. Opens none yet.
    pub async fn open(world: &World, vault: VaultId) -> Result<Self, Error> {
        let objects = world.vault.list(prefix::KEYS).await?;
        let ids = objects.iter().filter_map(|object| object.name.stem(prefix::KEYS, ".json"));
        let mut kept = HashMap::<_, BTreeSet<KeyId>>::new();
        for id in ids.filter_map(|id| id.parse::<KeyId>().ok()) {
            kept.entry((id.purpose(), id.scope().clone())).or_default().insert(id);
        }
        Ok(Self {
            world: world.clone(),
            vault,
            kept,
            sealing: Cells::default(),
            current: Cells::default(),
            naming: Cells::default(),
        })
    }

    /// The vault that these keys belong to.
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// The sealing key with this id.
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
            let (id, key) = self.unwrap_or_generate(newest, purpose, scope).await?;
            Ok(SealingKey::new(id, &key))
        };
        self.current.get((purpose, scope.clone()), find).await
    }

    /// The key that names chunks of this scope: always the same one, so that equal rows have equal names.
    pub async fn naming(&self, scope: &Scope) -> Result<Arc<NamingKey>, Error> {
        let find = async || {
            let oldest = self.of(KeyPurpose::Naming, scope).next();
            let (_, key) = self.unwrap_or_generate(oldest, KeyPurpose::Naming, scope).await?;
            Ok(NamingKey::new(key))
        };
        self.naming.get(scope.clone(), find).await
    }

    /// The key that names chunks of this scope, if there is one. None is made.
    pub async fn kept_naming(&self, scope: &Scope) -> Result<Option<Arc<NamingKey>>, Error> {
        match self.of(KeyPurpose::Naming, scope).next() {
            Some(_) => self.naming(scope).await.map(Some),
            None => Ok(None),
        }
    }

    async fn unwrap_or_generate(
        &self,
        found: Option<&KeyId>,
        purpose: KeyPurpose,
        scope: &Scope,
    ) -> Result<(KeyId, DataKey), Error> {
        match found {
            Some(id) => Ok((id.clone(), self.unwrap(id).await?)),
            None => self.generate(purpose, scope).await,
        }
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
        let now = self.world.clock.now();
        let id = KeyId::new(purpose, scope.clone(), now, random(&*self.world.entropy));
        let context = KeyContext { vault: self.vault, key: id.clone() };
        let (key, wrapped) = self.world.keyring.generate(&context).await?;
        let record = KeyRecord::new(id.clone(), self.vault, key_check(&id, &key), vec![wrapped]);
        let written = record.write().map_err(|source| unwritable(&id, source))?;
        self.world.vault.put(&ObjectName::key(&id), written).await?;
        Ok((id, key))
    }

    async fn unwrap(&self, id: &KeyId) -> Result<DataKey, Error> {
        let name = ObjectName::key(id);
        let bytes = self.world.vault.get(&name).await?;
        let damaged = |source| Error::Damaged { name: name.clone(), source };
        let record = KeyRecord::read(&bytes).map_err(damaged)?;
        if record.key != *id || record.vault != self.vault {
            let source = of_another_key(&id.to_string());
            return Err(Error::Damaged { name, source });
        }
        let keyring = &self.world.keyring;
        let ours = record.wrapped.iter().find(|wrapped| keyring.opens(wrapped));
        let wrapped = ours.ok_or_else(|| KeyringError::NotForUs {
            key: id.clone(),
            keyring: keyring.describe(),
            wrapped_for: record.wrapped_for(),
        })?;
        let context = KeyContext { vault: self.vault, key: id.clone() };
        let key = keyring.unwrap(wrapped, &context).await?;
        if same_check(&key_check(id, &key), &record.check) {
            Ok(key)
        } else {
            let keyring = keyring.describe();
            Err(KeyringError::DoesNotOpen { key: id.clone(), keyring, source: None }.into())
        }
    }
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
