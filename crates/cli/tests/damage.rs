//! Vaults that were damaged and keys that are lost: it is said which object it is and which backups it hurts, these are
//! not restored at all, and the others are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
};

use crate::support::{
    Database, Dice, Rows, Server, Tool, Workspace, assert_equal, middle::numbers,
};

on_each_server!(
    another_key_file_opens_nothing,
    a_pack_is_missing,
    a_pack_is_cut_short,
    two_packs_changed_places,
    a_bit_is_flipped_anywhere_in_a_pack,
    a_bit_is_flipped_anywhere_in_a_manifest,
    a_manifest_is_missing,
    a_key_is_missing,
    a_pack_is_put_together_again_from_the_database,
);

/// A vault with three backups of a clinic, and a copy of it to damage. The first two share the chunks of a table, the
/// third shares nothing with them, nor has it the rows of tenant 2.
struct Clinic<'a> {
    server: &'a Server,
    workspace: Workspace,
    source: Database<'a>,
    tool: Tool,
    backups: [String; 3],
}

const MAKE: &str = "
    CREATE TABLE pacientes (id INT NOT NULL PRIMARY KEY, clinica INT NOT NULL, foto VARBINARY(1000)) ENGINE=InnoDB;
    CREATE TABLE exames (id INT NOT NULL PRIMARY KEY, clinica INT NOT NULL, imagem VARBINARY(1000)) ENGINE=InnoDB;
    INSERT INTO pacientes SELECT i, 1 + i % 2, RANDOM_BYTES(1000) FROM (@NUMBERS@) n;
    INSERT INTO exames SELECT i, 1 + i % 2, RANDOM_BYTES(1000) FROM (@NUMBERS@) n;";

impl<'a> Clinic<'a> {
    fn new(server: &'a Server) -> Self {
        let (workspace, source) = (Workspace::new(), server.database("damage"));
        let tool = workspace.tool(server, &source).with("GORGEN_TENANT_COLUMN", "clinica");
        server.sql(&source.name, MAKE.replace("@NUMBERS@", &numbers(300)));
        let first = tool.backup();
        server.sql(&source.name, "UPDATE exames SET imagem = RANDOM_BYTES(1000)");
        let second = tool.backup();
        let all_else = "DELETE FROM pacientes WHERE clinica = 2; DELETE FROM exames WHERE clinica = 2;
            UPDATE pacientes SET foto = RANDOM_BYTES(999); UPDATE exames SET imagem = RANDOM_BYTES(999)";
        server.sql(&source.name, all_else);
        let third = tool.backup();
        let clinic = Self { server, workspace, source, tool, backups: [first, second, third] };
        assert_eq!(
            clinic.workspace.objects("packs/"),
            clinic.backups.each_ref().map(|id| pack_of(id))
        );
        clinic.tool.verify_clean();
        clinic
    }

    fn ids(&self, numbers: &[usize]) -> BTreeSet<String> {
        numbers.iter().map(|number| self.backups[number - 1].clone()).collect()
    }

    fn path(&self, object: &str) -> PathBuf {
        self.workspace.object(object)
    }

    /// Of the backups exactly those that are hurt can't be restored, and nothing is left of the attempt.
    #[track_caller]
    fn assert_only_these_are_lost(&self, lost: &BTreeSet<String>, code: i32) {
        for id in &self.backups {
            let target = self.server.absent("damage restored");
            if lost.contains(id) {
                self.tool.run(&["restore", id, "--into", &target.name]).failed(code);
                assert!(!target.exists(), "something was restored of {id}");
            } else {
                self.tool.restore(id, &target);
            }
        }
    }

    /// Puts an object back as it was.
    fn with_damage(&self, object: &str, damage: impl FnOnce(&Path), check: impl FnOnce()) {
        let path = self.path(object);
        let whole = fs::read(&path).expect("the object");
        damage(&path);
        check();
        fs::write(&path, whole).expect("the object again");
        self.tool.verify_clean();
    }
}

fn pack_of(id: &str) -> String {
    format!("packs/{id}-000001.pack")
}

fn manifest_of(id: &str) -> String {
    format!("manifests/{id}.manifest")
}

fn remove(path: &Path) {
    fs::remove_file(path).expect("it was there");
}

fn flip(path: &Path, byte: usize, bit: u64) {
    let mut content = fs::read(path).expect("the object");
    content[byte] ^= 1 << bit;
    fs::write(path, content).expect("the object");
}

fn a_pack_is_missing(server: &Server) {
    let clinic = Clinic::new(server);
    for (place, hurt) in [(0, [1, 2].as_slice()), (1, &[2]), (2, &[3])] {
        let (pack, hurt) = (pack_of(&clinic.backups[place]), clinic.ids(hurt));
        clinic.with_damage(&pack, remove, || {
            let expected = BTreeMap::from([(pack.clone(), hurt.clone())]);
            assert_eq!(clinic.tool.verify_hurt(&[]), expected);
            assert_eq!(clinic.tool.verify_hurt(&["--read-data"]), expected);
            clinic.assert_only_these_are_lost(&hurt, 3);
            let target = server.absent("damage restored");
            let lost = hurt.last().expect("a backup");
            clinic.tool.run(&["restore", lost, "--into", &target.name]).says(&[&pack, "missing"]);
        });
    }
}

fn a_pack_is_cut_short(server: &Server) {
    let clinic = Clinic::new(server);
    let (pack, hurt) = (pack_of(&clinic.backups[0]), clinic.ids(&[1, 2]));
    let size = fs::metadata(clinic.path(&pack)).expect("the pack").len();
    for kept in [0, 7, size / 2, size - 1] {
        let cut = |path: &Path| {
            let file = OpenOptions::new().write(true).open(path).expect("the pack");
            file.set_len(kept).expect("it is cut");
        };
        clinic.with_damage(&pack, cut, || {
            let by_size = clinic.tool.verify_hurt(&[]);
            assert_eq!(by_size, BTreeMap::from([(pack.clone(), hurt.clone())]), "{kept} bytes");
            let found = clinic.tool.verify_hurt(&["--read-data"]);
            assert_eq!(found.keys().collect::<Vec<_>>(), [&pack]);
            // Of a longer piece some chunks are whole, and which ones is a matter of chance.
            if kept < 8 {
                clinic.assert_only_these_are_lost(&hurt, 3);
            }
        });
    }
}

fn two_packs_changed_places(server: &Server) {
    let clinic = Clinic::new(server);
    let [one, other] = [0, 1].map(|place| pack_of(&clinic.backups[place]));
    let swap = |_: &Path| {
        let aside = clinic.workspace.path().join("aside");
        fs::rename(clinic.path(&one), &aside).expect("out of the way");
        fs::rename(clinic.path(&other), clinic.path(&one)).expect("in its place");
        fs::rename(&aside, clinic.path(&other)).expect("and back");
    };
    swap(Path::new(""));
    let found = clinic.tool.verify_hurt(&["--read-data"]);
    let expected =
        BTreeMap::from([(one.clone(), clinic.ids(&[1, 2])), (other.clone(), clinic.ids(&[2]))]);
    assert_eq!(found, expected);
    clinic.assert_only_these_are_lost(&clinic.ids(&[1, 2]), 3);
    swap(Path::new(""));
    clinic.tool.verify_clean();
}

/// The newest backup's rows are all there still; of the others' none is, and nothing is made of them.
fn a_pack_is_put_together_again_from_the_database(server: &Server) {
    let clinic = Clinic::new(server);
    let [old, _, new] = clinic.backups.each_ref().map(|id| pack_of(id));
    for damage in [remove as fn(&Path), |path| flip(path, 60_000, 3)] {
        damage(&clinic.path(&new));
        let told = clinic.tool.ok(&["verify", "--repair"]).stdout;
        assert!(told.contains(&format!("REPAIRED {new} in the vault: ")), "{told}");
        assert!(told.contains("put together again from the database"), "{told}");
        clinic.tool.verify_clean();
        clinic.assert_only_these_are_lost(&BTreeSet::new(), 3);
    }
    remove(&clinic.path(&old));
    let told = clinic.tool.run(&["verify", "--repair"]).failed(3).stdout;
    let lost = "of 4 chunks that are lost the database still has 0";
    assert!(told.contains(&format!("NOT REPAIRED {old} in the vault: {lost}")), "{told}");
    clinic.assert_only_these_are_lost(&clinic.ids(&[1, 2]), 3);
}

/// Verification names the pack wherever it is; and what it says of backups is what restores come to.
fn a_bit_is_flipped_anywhere_in_a_pack(server: &Server) {
    let clinic = Clinic::new(server);
    let pack = pack_of(&clinic.backups[0]);
    let size =
        usize::try_from(fs::metadata(clinic.path(&pack)).expect("the pack").len()).expect("small");
    let mut hurting = 0;
    for (place, bit) in sampled(size, 4) {
        clinic.with_damage(
            &pack,
            |path| flip(path, place, bit),
            || {
                let found = clinic.tool.verify_hurt(&["--read-data"]);
                assert_eq!(found.keys().collect::<Vec<_>>(), [&pack], "byte {place} of {size}");
                clinic.assert_only_these_are_lost(&found[&pack], 3);
                hurting += u32::from(!found[&pack].is_empty());
            },
        );
    }
    assert!(hurting > 3, "most bytes of a pack are chunks that are needed");
}

fn a_bit_is_flipped_anywhere_in_a_manifest(server: &Server) {
    let clinic = Clinic::new(server);
    let id = &clinic.backups[1];
    let manifest = manifest_of(id);
    let size =
        usize::try_from(fs::metadata(clinic.path(&manifest)).expect("it").len()).expect("small");
    for (place, bit) in sampled(size, 4) {
        clinic.with_damage(
            &manifest,
            |path| flip(path, place, bit),
            || {
                let found = clinic.tool.verify_hurt(&[]);
                let expected = BTreeMap::from([(manifest.clone(), clinic.ids(&[2]))]);
                assert_eq!(found, expected, "byte {place} of {size}");
                clinic.assert_only_these_are_lost(&clinic.ids(&[2]), 3);
            },
        );
    }
}

/// Places of an object and bits there: its ends, where lengths and marks are, and some in between.
fn sampled(size: usize, between: usize) -> Vec<(usize, u64)> {
    let mut dice = Dice::new(size as u64);
    let ends = [0, size - 1, size - 40];
    let inner = (0..between).map(|part| (2 * part + 1) * size / (2 * between));
    ends.into_iter().chain(inner).map(|place| (place, dice.below(8))).collect()
}

fn a_manifest_is_missing(server: &Server) {
    let clinic = Clinic::new(server);
    let id = &clinic.backups[1];
    let manifest = manifest_of(id);
    clinic.with_damage(&manifest, remove, || {
        let expected = BTreeMap::from([(manifest.clone(), clinic.ids(&[2]))]);
        assert_eq!(clinic.tool.verify_hurt(&[]), expected);
        clinic.assert_only_these_are_lost(&clinic.ids(&[2]), 1);
        let target = server.absent("damage restored");
        clinic.tool.run(&["restore", id, "--into", &target.name]).says(&["there is no backup", id]);
    });
}

fn a_key_is_missing(server: &Server) {
    let clinic = Clinic::new(server);
    let lost = |prefix: &str, hurt: &[usize]| {
        let keys = clinic.workspace.objects(&format!("keys/{prefix}"));
        let [key] = keys.as_slice() else { panic!("one key of {prefix}: {keys:?}") };
        clinic.with_damage(key, remove, || {
            let found = clinic.tool.verify_hurt(&["--read-data"]);
            let shown =
                if prefix.starts_with("naming") { format!("keys/{prefix}*") } else { key.clone() };
            assert!(found.contains_key(&shown), "{found:?}");
            let named: BTreeSet<_> = found.values().flatten().cloned().collect();
            assert_eq!(named, clinic.ids(hurt), "without {key}");
            clinic.assert_only_these_are_lost(&named, 3);
        });
    };
    lost("rows.t-1.", &[1, 2, 3]);
    lost("rows.t-2.", &[1, 2]);
    lost("manifest.shared.", &[1, 2, 3]);
    lost("naming.t-2.", &[]);
}

fn another_key_file_opens_nothing(server: &Server) {
    let clinic = Clinic::new(server);
    let stranger = Workspace::new();
    let tool = clinic
        .tool
        .clone()
        .with("GORGEN_KEYRING", format!("file://{}", stranger.key_file().display()));
    let target = server.absent("damage restored");
    for args in [&["restore", "latest", "--into", &target.name][..], &["show"], &["backup"]] {
        let whose = format!("is not wrapped for file://{}", stranger.key_file().display());
        tool.run(args).failed(1).says(&["data key manifest.shared.", &whose, "GORGEN_KEYRING"]);
    }
    assert!(!target.exists());
    let found = tool.verify_hurt(&["--read-data"]);
    let (key, hurt) = found.first_key_value().expect("a problem");
    assert!(found.len() == 1 && key.starts_with("keys/manifest.shared."), "{found:?}");
    assert_eq!(*hurt, clinic.ids(&[1, 2, 3]));

    assert_eq!(clinic.workspace.objects("manifests/").len(), 3);
    clinic.tool.verify_clean();
    clinic.tool.restore("latest", &target);
    assert_equal(server, &clinic.source.name, &target.name, Rows::Unordered);
}
