//! What lies in an offline package for whoever has nothing but it: how it is restored.

use gorgen_engine::{jobs::package::Report, model::Language};

/// The instructions' file name.
pub const fn file_name(language: Language) -> &'static str {
    match language {
        Language::Portuguese => "RESTORE_INSTRUCTIONS.pt-BR.txt",
        Language::English => "RESTORE_INSTRUCTIONS.en.txt",
    }
}

/// How the backup of this package is checked, restored, and opened without this program.
pub fn instructions(report: &Report, language: Language) -> String {
    let text = match language {
        Language::Portuguese => PORTUGUESE,
        Language::English => ENGLISH,
    };
    let opened_by: Vec<String> =
        report.opened_by.iter().map(|key| format!("    {}", opener(key, language))).collect();
    [
        ("{backup}", report.backup.to_string()),
        ("{database}", report.source.database.clone()),
        ("{server}", report.source.server.clone()),
        ("{snapshot}", report.snapshot.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
        ("{objects}", report.objects.to_string()),
        ("{bytes}", report.bytes.to_string()),
        ("{opened_by}", opened_by.join("\n")),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (name, value)| text.replace(name, &value))
}

/// What opens the package, as somebody finds it in a safe.
fn opener(key: &str, language: Language) -> String {
    let (kind, name) = key.split_once(':').unwrap_or((key, ""));
    match (kind, language) {
        ("age", Language::Portuguese) => format!("a identidade age de {name}"),
        ("age", Language::English) => format!("the identity of age that belongs to {name}"),
        (_, Language::Portuguese) => format!("o arquivo de chave de id {name}"),
        (_, Language::English) => format!("the key file with the id {name}"),
    }
}

const PORTUGUESE: &str = "\
COMO RESTAURAR ESTE BACKUP SEM A NUVEM

Backup {backup} do banco de dados {database} ({server}),
como estava em {snapshot}. {objects} objetos, {bytes} bytes, todos cifrados.

O que abre este pacote (qualquer um basta, e nada mais abre):
{opened_by}
O arquivo da identidade ou da chave fica no cofre, nunca junto com este disco. Abaixo ele se chama
/cofre/identity.txt; para um arquivo de chave escreva file:///cofre/clinica.key em vez de age:///cofre/identity.txt.

1. Conferir que os arquivos estão como foram gravados (na pasta deste arquivo):

    sha256sum --check SHA256SUMS

2. Conferir que o pacote abre por inteiro (PASTA é o caminho completo desta pasta):

    gorgen-backup verify --read-data --vault file://PASTA/vault --keyring age:///cofre/identity.txt

3. Restaurar em um banco de dados novo, em qualquer servidor MySQL ou MariaDB:

    export GORGEN_DATABASE_URL='mysql://usuario:senha@servidor:3306/{database}'
    gorgen-backup restore {backup} --into clinica_restaurada --vault file://PASTA/vault --keyring age:///cofre/identity.txt

   O programa confere cada linha depois de restaurar e só então diz que terminou.

4. Sem o programa gorgen-backup, com Python 3.9 ou mais novo:

    python3 -m pip install cryptography zstandard blake3 pyrage
    python3 recover.py write {backup} --vault file://PASTA/vault --keyring age:///cofre/identity.txt --to saida
    cat saida/*.sql | mariadb --binary-mode --comments --max-allowed-packet=1G banco_novo

   recover.py explica o resto no início do próprio arquivo; format.md descreve o formato byte a byte.

Os arquivos que o passo 4 escreve não são cifrados: contêm dados de pacientes. Apague-os quando não precisar mais deles.
";

const ENGLISH: &str = "\
HOW TO RESTORE THIS BACKUP WITHOUT THE CLOUD

Backup {backup} of the database {database} ({server}),
as it was at {snapshot}. {objects} objects, {bytes} bytes, all encrypted.

What opens this package (any one is enough, and nothing else does):
{opened_by}
The file with the identity or the key lies in a safe, never with this disk. Below it is
/safe/identity.txt; for a key file write file:///safe/clinic.key in the place of age:///safe/identity.txt.

1. See that the files are as they were written (in the folder of this file):

    sha256sum --check SHA256SUMS

2. See that all of the package opens (FOLDER is the whole path of this folder):

    gorgen-backup verify --read-data --vault file://FOLDER/vault --keyring age:///safe/identity.txt

3. Restore into a new database, on any MySQL or MariaDB server:

    export GORGEN_DATABASE_URL='mysql://user:password@server:3306/{database}'
    gorgen-backup restore {backup} --into clinic_restored --vault file://FOLDER/vault --keyring age:///safe/identity.txt

   The program compares every row after it was restored, and only then says that it is done.

4. Without the program gorgen-backup, with Python 3.9 or newer:

    python3 -m pip install cryptography zstandard blake3 pyrage
    python3 recover.py write {backup} --vault file://FOLDER/vault --keyring age:///safe/identity.txt --to out
    cat out/*.sql | mariadb --binary-mode --comments --max-allowed-packet=1G new_database

   recover.py explains the rest at its beginning; format.md describes the format byte by byte.

The files that step 4 writes are not encrypted: they hold patients' data. Delete them when you need them no more.
";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gorgen_engine::model::SourceIdentity;

    use super::*;

    #[test]
    fn both_languages_say_the_same_and_leave_nothing_open() {
        let at = "2026-11-29T06:00:00Z".parse().unwrap();
        let report = Report {
            backup: "20261129T060000Z-4f2a91c3".parse().unwrap(),
            snapshot: at,
            source: SourceIdentity { server: "db:3306".to_owned(), database: "clinica".to_owned() },
            started: at,
            ended: at,
            opened_by: vec!["age:age1xyz".to_owned(), "file:65a952edd62339b8".to_owned()],
            objects: 12,
            bytes: 3456,
            copied_objects: 12,
            copied_bytes: 3456,
            raw_bytes: 9000,
            sha256: BTreeMap::new(),
        };
        let texts = Language::ALL.map(|language| instructions(&report, language));
        for text in &texts {
            for said in [
                "20261129T060000Z-4f2a91c3",
                "2026-11-29 06:00:00 UTC",
                "age1xyz",
                "65a952edd62339b8",
                "clinica",
                "db:3306",
                "3456",
                "sha256sum --check SHA256SUMS",
            ] {
                assert!(text.contains(said), "{said}: {text}");
            }
            assert!(!text.contains(['{', '}']), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 160));
        }
        let commands = |text: &str| text.lines().filter(|line| line.starts_with("    ")).count();
        assert_eq!(commands(&texts[0]), commands(&texts[1]));
    }
}
