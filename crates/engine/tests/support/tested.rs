//! What tests of restore tests share: a clinic with more than rows, and a scratch server for it.

use gorgen_engine::{
    model::{CharsetContext, Relation, StoredObject, StoredObjectKind},
    testing::{FakeScratch, FakeTarget},
};

use super::Clinic;

/// What names of scratch databases begin with.
pub(crate) const PREFIX: &str = "scratch";

/// An object of no content.
pub(crate) fn object(kind: StoredObjectKind, name: &str) -> StoredObject {
    StoredObject {
        kind,
        name: name.to_owned(),
        table: None,
        ddl: format!("CREATE DEFINER=`app`@`%` {} `{name}`", kind.keyword()),
        definer: Some("app@%".to_owned()),
        context: CharsetContext::default(),
        after: None,
    }
}

/// A clinic with a foreign key, a view, a function and an event.
pub(crate) fn clinic() -> Clinic {
    let clinic = Clinic::new();
    let mut table = super::patients();
    table.relations.push(Relation {
        name: "paciente_cid".to_owned(),
        columns: vec!["nome".to_owned()],
        parent_database: None,
        parent: "cid".to_owned(),
        parent_columns: vec!["codigo".to_owned()],
    });
    clinic.source.define(table);
    for (kind, name) in [
        (StoredObjectKind::Function, "dobro"),
        (StoredObjectKind::View, "agenda"),
        (StoredObjectKind::Event, "limpeza"),
    ] {
        clinic.source.define_object(object(kind, name));
    }
    clinic
}

/// A scratch server, and the database that the next test will fill there.
pub(crate) fn scratch_for(clinic: &Clinic) -> (FakeScratch, FakeTarget) {
    let scratch = FakeScratch::new(PREFIX);
    let target = FakeTarget::like(PREFIX, &clinic.source);
    scratch.prepare(target.clone());
    (scratch, target)
}
