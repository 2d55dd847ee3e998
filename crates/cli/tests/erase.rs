//! One tenant erased from all backups by the binary, on real servers.

use std::{fs, process::Command};

use serde_json::json;

use crate::support::{Database, Server, Tool, Workspace, shown::Shown};

on_each_server!(a_tenant_is_gone_from_every_backup_and_nobody_else_is);

/// Two tenants, and a table that does not say whose rows it has.
fn clinic<'a>(server: &'a Server, workspace: &Workspace) -> (Database<'a>, Tool) {
    let live = server.database("erase");
    server.sql(
        &live.name,
        "CREATE TABLE pacientes (id INT PRIMARY KEY, tenant_id INT NOT NULL, nome VARCHAR(40)) ENGINE=InnoDB;
        CREATE TABLE exames (id INT PRIMARY KEY, paciente INT NOT NULL, laudo TEXT,
          CONSTRAINT de_quem FOREIGN KEY (paciente) REFERENCES pacientes (id)) ENGINE=InnoDB;
        INSERT INTO pacientes VALUES (1, 7, 'Ana'), (2, 8, 'Beto'), (3, 7, 'Caê'), (4, 8, 'Davi');
        INSERT INTO exames VALUES (1, 1, 'a'), (2, 2, 'b');",
    );
    let scratch = server.absent("erase scratch");
    let tool = workspace
        .tool(server, &live)
        .with("GORGEN_TENANT_COLUMN", "tenant_id")
        .with("GORGEN_SCRATCH_URL", server.url(&scratch.name));
    (live, tool)
}

const PATIENTS: &str = "SELECT GROUP_CONCAT(nome ORDER BY id) FROM pacientes";

fn a_tenant_is_gone_from_every_backup_and_nobody_else_is(server: &Server) {
    let workspace = Workspace::new();
    let (live, tool) = clinic(server, &workspace);
    let first = tool.backup();
    server.sql(&live.name, "INSERT INTO pacientes VALUES (5, 8, 'Eva')");
    let second = tool.backup();
    let replica = workspace.path().join("replica");
    let replicate = || {
        let from = workspace.vault().join(".");
        let copied = Command::new("cp").arg("-a").args([&from, &replica]).status();
        assert!(copied.expect("cp").success());
    };
    replicate();
    let tool = tool
        .with("GORGEN_REPLICA_VAULT", format!("file://{}", replica.display()))
        .with("GORGEN_REPLICA_KEYRING", format!("file://{}", workspace.key_file().display()));

    let shown = Shown::new(&workspace);
    let unsure = tool.run(&["keys", "erase", "--tenant", "7", "--confirm", "erase 7"]).failed(4);
    insta::assert_snapshot!(shown.failure(&unsure), @r#"
    exit status 4
    error: the keys of tenant 7 are to be destroyed for good, which must be confirmed: expected --confirm 'ERASE 7', got erase 7
    "#);
    let nobody = tool.run(&["keys", "erase", "--tenant", "9", "--confirm", "ERASE 9"]).failed(1);
    insta::assert_snapshot!(shown.failure(&nobody), @r#"
    exit status 1
    error: file://[FOLDER]/vault holds no key of a tenant "9"
      what to do: give the tenant as the tenant column holds it; `gorgen-backup keys status --json` names every key with whose it is
    "#);
    let blind = tool.clone().without("GORGEN_TENANT_COLUMN");
    blind.run(&["keys", "erase", "--tenant", "7", "--dry-run"]).failed(2);
    let plan = tool.ok(&["keys", "erase", "--tenant", "7", "--dry-run"]);
    insta::assert_snapshot!(shown.text(&plan.stdout), @r#"
    would erase 2 data keys of tenant 7, which 2 backups need
      database the newest backup holds 2 rows of this tenant: delete them from the database, or the next backup stores them again
      stays    rows of tables without the tenant column: exames
    "#);

    let erased = tool.ok(&["keys", "erase", "--tenant", "7", "--confirm", "ERASE 7"]);
    insta::assert_snapshot!(shown.text(&erased.stdout), @r#"
    erased 2 data keys of tenant 7, which 2 backups needed
      database the newest backup holds 2 rows of this tenant: delete them from the database, or the next backup stores them again
      stays    rows of tables without the tenant column: exames
    "#);
    tool.verify_clean();

    for (backup, left) in [(&first, "Beto,Davi"), (&second, "Beto,Davi,Eva")] {
        let target = server.absent("erase restored");
        let restored = tool.restore(backup, &target);
        assert_eq!(server.value(&target.name, PATIENTS), left);
        let warnings = restored["warnings"].to_string();
        assert!(warnings.contains("2 rows of tenant 7 in 1 tables were left out"), "{warnings}");
        assert!(
            warnings.contains(
                "point at no row of pacientes (foreign key de_quem), of which rows were erased"
            ),
            "{warnings}"
        );
        target.remove();
    }
    let tested = tool.json(&["restore-test", "latest"]);
    assert!(
        tested.to_string().contains("2 rows of tenant 7 in 1 tables were left out"),
        "{tested:#}"
    );

    let in_place = ["restore", "latest", "--in-place", "--confirm", "RESTAURAR", "--tenant"];
    let refused = tool.run(&[&in_place[..], &["7"]].concat()).failed(4);
    assert!(
        refused.stderr.contains("what the backup held of this tenant was erased"),
        "{refused:?}"
    );
    assert_eq!(server.value(&live.name, PATIENTS), "Ana,Beto,Caê,Davi,Eva", "nothing is lost");
    server.sql(&live.name, "UPDATE pacientes SET nome = 'Bia' WHERE id = 2");
    tool.json(&[&in_place[..], &["8"]].concat());
    assert_eq!(server.value(&live.name, PATIENTS), "Ana,Beto,Caê,Davi,Eva");

    server.sql(
        &live.name,
        "DELETE FROM exames WHERE paciente IN (1, 3); DELETE FROM pacientes WHERE tenant_id = 7",
    );
    tool.backup();
    let early = tool.run(&["keys", "erase", "--tenant", "7", "--confirm", "ERASE 7"]).failed(3);
    assert!(early.stdout.contains("yet: run this again once it is"), "{early:?}");
    replicate();
    let again = tool.json(&["keys", "erase", "--tenant", "7", "--confirm", "ERASE 7"]);
    // The safety backup of the restore found the rows still there.
    assert_eq!((&again["erased_before"], &again["in_newest"]), (&json!(4), &json!(0)));
    tool.verify_clean();
    let month = &again["started"].as_str().expect("a time")[..7];
    let page = workspace.path().join("month.html");
    tool.ok(&["report", "--month", month, "--to", page.to_str().expect("UTF-8")]);
    let page = fs::read_to_string(page).expect("a page");
    let (_, erasures) =
        page.split_once("Inquilinos eliminados de todos os backups").expect("a heading");
    let erasures = erasures.split_once("</table>").expect("a table").0;
    assert_eq!(erasures.matches(">7</span>").count(), 3, "{erasures}");
}
