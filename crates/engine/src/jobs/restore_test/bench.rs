//! What a test is made with: the vault and its copy, and a server for throw-away databases.

use crate::{
    jobs::{Error, World, backups, restore_test::Request, verify::Replica},
    model::{Place, RunId, VaultId},
    policy::scratch as names,
    ports::Scratch,
    records::identity::VaultIdentity,
};

#[derive(Clone, Copy)]
pub(super) struct Bench<'a> {
    pub(super) world: &'a World,
    pub(super) replica: Option<&'a Replica>,
    pub(super) scratch: &'a dyn Scratch,
    pub(super) request: &'a Request,
}

impl Bench<'_> {
    /// Whose vault it is. When the copy is read by itself the vault may be what was lost: then its copy tells.
    pub(super) async fn identity(&self, place: Option<Place>) -> Result<VaultIdentity, Error> {
        if place != Some(Place::Replica) {
            return backups::existing_identity(&*self.world.vault).await;
        }
        let replica = self.replica.ok_or(Error::NoReplica)?;
        let copy = backups::existing_identity(&*replica.vault).await?;
        if let Ok(Some(identity)) = backups::identity(&*self.world.vault).await {
            require_copy(replica, &copy, identity.vault)?;
        }
        Ok(copy)
    }

    /// The world with the chosen place in the vault's.
    pub(super) async fn reading(&self, vault: VaultId, place: Place) -> Result<World, Error> {
        if place == Place::Vault {
            return Ok(self.world.clone());
        }
        let replica = self.replica.ok_or(Error::NoReplica)?;
        let copy = backups::existing_identity(&*replica.vault).await?;
        require_copy(replica, &copy, vault)?;
        let Replica { vault, keyring } = replica;
        Ok(World { vault: vault.clone(), keyring: keyring.clone(), ..self.world.clone() })
    }

    /// The name of the database that this run fills.
    pub(super) fn database_of(&self, vault: VaultId, run: &RunId) -> Result<String, Error> {
        let prefix = self.scratch.prefix();
        let name = names::name(&prefix, vault, run);
        name.ok_or(Error::ScratchName { longest: names::LONGEST_PREFIX, name: prefix })
    }
}

fn require_copy(replica: &Replica, copy: &VaultIdentity, vault: VaultId) -> Result<(), Error> {
    if copy.vault == vault {
        return Ok(());
    }
    Err(Error::NotACopy { replica: replica.vault.describe(), owner: copy.vault, vault })
}
