//! What is written reads back: manifests, packs, and definitions taken apart.

use std::{collections::BTreeSet, sync::Arc};

use gorgen_engine::{
    error::FormatError,
    model::{
        Catalog, CharsetContext, ChunkId, Column, Flavor, KeyId, KeyPurpose, PackId, Position,
        Relation, RunId, Scope, ServerInfo, SourceIdentity, StoredObject, StoredObjectKind, Table,
        ValueKind, VaultId,
    },
    ports::{Consistency, DataKey},
    records::manifest::{Header, HeaderFacts, Manifest, PlacedChunk, TablePart},
    stages::{
        definition,
        pack::{self, Entry, OpenPack, SealedContents},
        rows::Digest,
        seal::SealingKey,
        spare::Spare,
    },
    testing::SeededEntropy,
};
use jiff::Timestamp;
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};

fn config(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(20_261_123),
        failure_persistence: None,
        ..Config::default()
    }
}

const VAULT: VaultId = VaultId::new([7; 16]);

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (0..4_000_000_000_i64).prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn run_id() -> impl Strategy<Value = RunId> {
    (timestamp(), any::<[u8; 4]>()).prop_map(|(at, random)| RunId::new(at, random))
}

fn pack_id() -> impl Strategy<Value = PackId> {
    (run_id(), 0..1_000_000_u32).prop_map(|(run, number)| PackId::new(run, number))
}

fn scope() -> impl Strategy<Value = Scope> {
    let value = prop::collection::vec(any::<u8>(), 0..9);
    prop_oneof![Just(Scope::Shared), value.prop_map(Scope::Tenant)]
}

fn key_id() -> impl Strategy<Value = KeyId> {
    let purpose =
        prop_oneof![Just(KeyPurpose::Manifest), Just(KeyPurpose::Rows), Just(KeyPurpose::Naming)];
    (purpose, scope(), timestamp(), any::<[u8; 4]>())
        .prop_map(|(purpose, scope, at, random)| KeyId::new(purpose, scope, at, random))
}

fn sealing_key(byte: u8) -> SealingKey {
    let id = KeyId::new(KeyPurpose::Manifest, Scope::Shared, Timestamp::UNIX_EPOCH, [byte; 4]);
    SealingKey::new(id, &DataKey::new([byte; 32]))
}

/// Names and definitions as databases have them: any text at all.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z`'\"\\\\(), ]{0,12}"]
}

fn maybe<T: Strategy>(value: T) -> impl Strategy<Value = Option<T::Value>>
where
    T::Value: Clone,
{
    prop::option::of(value)
}

prop_compose! {
    fn entry()(
        chunk in any::<[u8; 16]>(),
        key in key_id(),
        [offset, length, raw] in any::<[u32; 3]>(),
    ) -> Entry {
        Entry { chunk: ChunkId::new(chunk), key, offset, length, raw }
    }
}

prop_compose! {
    fn digest()(rows in any::<u32>(), bytes in any::<u32>(), sum in any::<u128>()) -> Digest {
        Digest { rows: rows.into(), bytes: bytes.into(), sum }
    }
}

prop_compose! {
    fn placed()(pack in pack_id(), entry in entry(), rows in any::<u32>(), segment in 0..5_u32) -> PlacedChunk {
        PlacedChunk { pack: Arc::new(pack), entry: Arc::new(entry), rows, segment }
    }
}

type Groups = Vec<(Scope, Digest, Vec<PlacedChunk>)>;

fn groups() -> impl Strategy<Value = Groups> {
    prop::collection::vec((scope(), digest(), prop::collection::vec(placed(), 0..4)), 0..4)
}

prop_compose! {
    fn part()(name in text(), groups in groups(), range in maybe((text(), text()))) -> TablePart {
        TablePart::new(name, groups, range)
    }
}

prop_compose! {
    fn column()(
        name in text(),
        sql_type in text(),
        kind in prop_oneof![Just(ValueKind::Number), Just(ValueKind::Json), Just(ValueKind::Geometry)],
        charset in maybe(text()),
        collation in maybe(text()),
    ) -> Column {
        Column { name, sql_type, kind, charset, collation }
    }
}

prop_compose! {
    fn relation()(
        name in text(),
        columns in prop::collection::vec(text(), 0..3),
        parent_database in maybe(text()),
        parent in text(),
        parent_columns in prop::collection::vec(text(), 0..3),
    ) -> Relation {
        Relation { name, columns, parent_database, parent, parent_columns }
    }
}

prop_compose! {
    fn table()(
        name in text(),
        ddl in text(),
        collation in maybe(text()),
        engine in maybe(text()),
        columns in prop::collection::vec(column(), 0..3),
        key in prop::collection::vec(text(), 0..2),
        key_index in maybe(text()),
        relations in prop::collection::vec(relation(), 0..2),
    ) -> Table {
        Table { name, ddl, collation, engine, columns, key, key_index, relations, estimated_bytes: 0 }
    }
}

prop_compose! {
    fn object()(
        name in text(),
        table in maybe(text()),
        ddl in text(),
        definer in maybe(text()),
        [sql_mode, time_zone] in [maybe(text()), maybe(text())],
        after in maybe(text()),
    ) -> StoredObject {
        let context = CharsetContext { sql_mode, time_zone, ..CharsetContext::default() };
        StoredObject { kind: StoredObjectKind::Trigger, name, table, ddl, definer, context, after }
    }
}

prop_compose! {
    fn manifest()(
        [gtid, binlog] in [maybe(text()), maybe(text())],
        tso in maybe(any::<u64>()),
        [version, database, charset, collation] in [text(), text(), text(), text()],
        tables in prop::collection::vec(table(), 0..3),
        objects in prop::collection::vec(object(), 0..3),
        warnings in prop::collection::vec(text(), 0..2),
        parts in prop::collection::vec(part(), 0..3),
        packs in prop::collection::vec((pack_id(), any::<u64>()), 0..4),
    ) -> Manifest {
        let server = ServerInfo { flavor: Flavor::TiDb, version };
        Manifest {
            position: Position { gtid, binlog, tso },
            consistency: Consistency::LockedStart,
            catalog: Catalog { server, database, charset, collation, tables, objects, warnings },
            tables: parts,
            packs,
        }
    }
}

prop_compose! {
    fn facts()(
        backup in run_id(),
        [server, database, tool] in [text(), text(), text()],
        [started, snapshot, ended] in [timestamp(), timestamp(), timestamp()],
        new_bytes in any::<u32>(),
    ) -> HeaderFacts {
        let totals = gorgen_engine::records::manifest::Totals { new_bytes: new_bytes.into(), ..Default::default() };
        let source = SourceIdentity { server, database };
        HeaderFacts { backup, vault: VAULT, source, started, snapshot, ended, totals, tool, imported: None }
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn a_manifest_reads_back_as_it_was_sealed(
        manifest in manifest(), facts in facts(), at in any::<prop::sample::Index>(), bit in 0..8_u8
    ) {
        let key = sealing_key(1);
        let (header, object) = manifest.seal(facts, &key, &SeededEntropy::new(3)).unwrap();
        let read = Header::read(&object).unwrap();
        prop_assert_eq!(&read, &header);
        prop_assert_eq!(&read.open(&object, &key).unwrap(), &manifest);

        prop_assert!(read.open(&object, &sealing_key(2)).is_err(), "another key");
        let mut flipped = object.to_vec();
        flipped[at.index(object.len())] ^= 1_u8 << bit;
        prop_assert!(header.open(&flipped, &key).is_err(), "a flipped bit");
        prop_assert!(header.open(&object[..at.index(object.len())], &key).is_err(), "cut short");
    }

    #[test]
    fn the_beginning_of_a_manifest_says_how_much_more_of_it_is_needed(
        manifest in manifest(), facts in facts(), at in any::<prop::sample::Index>()
    ) {
        let (header, object) = manifest.seal(facts, &sealing_key(1), &SeededEntropy::new(3)).unwrap();
        let beginning = &object[..at.index(object.len())];
        match Header::read(beginning) {
            Ok(read) => prop_assert_eq!(read, header),
            Err(FormatError::Length { expected, given }) => {
                prop_assert_eq!(given, beginning.len() as u64);
                let needed = usize::try_from(expected).unwrap();
                prop_assert_eq!(Header::read(&object[..needed]).unwrap(), header);
            }
            Err(FormatError::Manifest) => prop_assert!(beginning.len() < 12),
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn a_part_keeps_where_each_chunk_lies(groups in groups()) {
        let part = TablePart::new("t".to_owned(), groups.clone(), None);
        for (group, (scope, digest, placed)) in part.groups.iter().zip(&groups) {
            prop_assert_eq!((&group.scope, &group.digest), (scope, digest));
            for (chunk, placed) in group.chunks.iter().zip(placed) {
                prop_assert_eq!(part.pack_of(chunk), Some(&*placed.pack));
                let key = part.key_of(chunk).unwrap().clone();
                prop_assert_eq!(chunk.entry(key), (*placed.entry).clone());
                prop_assert_eq!(chunk.rows, placed.rows);
            }
            prop_assert_eq!(group.chunks.len(), placed.len());
        }
        prop_assert_eq!(part.groups.len(), groups.len());
        prop_assert_eq!(part.packs.iter().collect::<BTreeSet<_>>().len(), part.packs.len(), "each once");
    }

    #[test]
    fn a_pack_gives_back_what_was_laid_into_it(
        id in pack_id(), chunks in prop::collection::vec((any::<[u8; 16]>(), key_id(), prop::collection::vec(any::<u8>(), 0..60)), 0..9),
        at in any::<prop::sample::Index>(), bit in 0..8_u8
    ) {
        let (key, mut open) = (sealing_key(1), OpenPack::new(id.clone(), &Spare::new(0)));
        prop_assert!(open.is_empty());
        let laid: Vec<_> = chunks.iter()
            .map(|(chunk, key, sealed)| open.add(ChunkId::new(*chunk), key, sealed, 1234).unwrap())
            .collect();
        let object = open.close(VAULT, &key, &SeededEntropy::new(3)).unwrap();

        let contents = SealedContents::find(&object).unwrap();
        prop_assert_eq!(&contents.key, key.id());
        let entries = contents.open(VAULT, &id, &key).unwrap();
        let entries = pack::check_layout(&object, &contents, entries).unwrap();
        prop_assert_eq!(&entries, &laid);
        for (entry, (chunk, _, sealed)) in entries.iter().zip(&chunks) {
            prop_assert_eq!(entry.chunk, ChunkId::new(*chunk));
            let (start, end) = (entry.offset as usize, (entry.offset + entry.length) as usize);
            prop_assert_eq!(&object[start..end], sealed.as_slice());
        }

        // The table of contents is found from the end, or says how much of it is needed.
        let end = &object[at.index(object.len())..];
        match SealedContents::find(end) {
            Ok(found) => prop_assert_eq!(&found, &contents),
            Err(FormatError::Length { expected, .. }) => {
                let needed = object.len() - usize::try_from(expected).unwrap();
                prop_assert_eq!(&SealedContents::find(&object[needed..]).unwrap(), &contents);
            }
            Err(_) => prop_assert!(end.len() < 14),
        }

        let other = PackId::new(id.run().clone(), 999_999);
        prop_assert!(other == id || contents.open(VAULT, &other, &key).is_err(), "another pack's name");
        prop_assert!(contents.open(VaultId::new([8; 16]), &id, &key).is_err(), "another vault");
        // A flipped bit outside of the chunks, which have seals of their own.
        let mut flipped = object.clone();
        let chunks = 8..contents.start(object.len());
        let outside = at.index(object.len() - chunks.len());
        let place = if outside < 8 { outside } else { outside + chunks.len() };
        flipped[place] ^= 1_u8 << bit;
        let is_whole = SealedContents::find(&flipped).ok().filter(|found| found.key == *key.id()).and_then(|found| {
            let entries = found.open(VAULT, &id, &key).ok()?;
            pack::check_layout(&flipped, &found, entries).ok()
        });
        prop_assert!(is_whole.is_none(), "byte {} may be anything", place);
    }

    #[test]
    fn ends_of_packs_that_are_none_are_errors_and_no_panics(mut noise in prop::collection::vec(any::<u8>(), 0..80), has_magic in any::<bool>()) {
        if has_magic {
            noise.extend_from_slice(pack::MAGIC);
        }
        let _ = SealedContents::find(&noise);
        let _ = Header::read(&noise);
    }
}

/// A name as `SHOW CREATE TABLE` quotes it.
fn quoted() -> impl Strategy<Value = String> {
    "[a-zA-Zçã'\"(),\\\\` ]{1,10}".prop_map(|name| format!("`{}`", name.replace('`', "``")))
}

/// A text as `SHOW CREATE TABLE` quotes it.
fn literal() -> impl Strategy<Value = String> {
    "[a-zA-Zçã'\"(),\\\\`\n ]{0,12}"
        .prop_map(|text| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")))
}

fn clause() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (quoted(), literal()).prop_map(|(name, text)| format!("{name} varchar(9) DEFAULT {text}")),
        2 => (quoted(), literal()).prop_map(|(name, text)| format!("{name} decimal(5,2) NOT NULL COMMENT {text}")),
        1 => (quoted(), quoted()).prop_map(|(name, of)| format!("{name} int GENERATED ALWAYS AS (({of} + 1) * 2) STORED")),
        1 => (quoted(), literal()).prop_map(|(name, text)| format!("{name} enum('a',{text}) DEFAULT NULL")),
        1 => quoted().prop_map(|name| format!("PRIMARY KEY ({name})")),
        2 => (quoted(), quoted()).prop_map(|(name, of)| format!("KEY {name} ({of},{of}(3) DESC)")),
        1 => (quoted(), quoted(), literal()).prop_map(|(name, of, text)| format!("UNIQUE KEY {name} ({of}) COMMENT {text}")),
        1 => (quoted(), quoted()).prop_map(|(name, of)| format!("FULLTEXT KEY {name} ({of})")),
        1 => (quoted(), quoted()).prop_map(|(name, of)| format!("SPATIAL KEY {name} ({of})")),
        1 => (quoted(), literal()).prop_map(|(name, text)| format!("CONSTRAINT {name} CHECK (`a` <> {text})")),
        2 => (quoted(), quoted()).prop_map(|(name, of)| {
            format!("CONSTRAINT {name} FOREIGN KEY ({of}) REFERENCES {of} ({of}) ON DELETE CASCADE")
        }),
    ]
}

fn tail() -> impl Strategy<Value = String> {
    (literal(), any::<bool>()).prop_map(|(text, partitioned)| {
        let partition = if partitioned {
            "\n PARTITION BY HASH (`a`)\n(PARTITION p0 ENGINE = InnoDB)"
        } else {
            ""
        };
        format!(
            ") ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COMMENT={text}{partition}"
        )
    })
}

fn is_foreign_key(clause: &str) -> bool {
    clause.starts_with("CONSTRAINT ") && clause.ends_with(" ON DELETE CASCADE")
}

proptest! {
    #![proptest_config(config(2000))]

    /// Every clause is in one of the parts, whole, in its order; and the rest is as it was.
    #[test]
    fn a_definition_that_is_taken_apart_loses_nothing(
        name in quoted(), clauses in prop::collection::vec(clause(), 1..9), tail in tail()
    ) {
        let definition = |clauses: &[&String]| {
            let lines: Vec<_> = clauses.iter().map(|clause| format!("\n  {clause}")).collect();
            format!("CREATE TABLE {name} ({}\n{tail}", lines.join(","))
        };
        let whole = definition(&clauses.iter().collect::<Vec<_>>());
        let split = definition::split(&whole);
        let is_key = |clause: &str| {
            ["KEY ", "UNIQUE KEY ", "SPATIAL KEY "].iter().any(|start| clause.starts_with(start))
        };
        let (keys, rest): (Vec<_>, Vec<_>) = clauses.iter().partition(|clause| is_key(clause));
        let (foreign_keys, kept): (Vec<_>, Vec<_>) = rest.into_iter().partition(|clause| is_foreign_key(clause));

        prop_assert_eq!(split.foreign_keys.iter().collect::<Vec<_>>(), foreign_keys);
        prop_assert_eq!(split.keys.iter().collect::<Vec<_>>(), keys);
        prop_assert_eq!(split.create, definition(&kept));
    }

    #[test]
    fn what_is_no_definition_is_left_as_it_is(text in text()) {
        let split = definition::split(&text);
        if split.keys.is_empty() && split.foreign_keys.is_empty() {
            prop_assert_eq!(split.create, text.as_str());
        }
        let _ = definition::without_counter(&text);
    }

    #[test]
    fn a_counter_is_all_that_a_comparison_leaves_out(name in quoted(), clause in clause(), tail in tail(), counter in any::<u32>()) {
        let ddl = format!("CREATE TABLE {name} (\n  {clause}\n{tail}");
        let moved = ddl.replacen(" AUTO_INCREMENT=7 ", &format!(" AUTO_INCREMENT={counter} "), 1);
        prop_assert_eq!(definition::without_counter(&ddl), definition::without_counter(&moved));
        prop_assert_eq!(definition::without_counter(&ddl), ddl.replacen(" AUTO_INCREMENT=7", "", 1));
    }
}
