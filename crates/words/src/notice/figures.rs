//! Good news: a run that did what it should, and a month's report that is there.

use super::{
    Scene, Told,
    phrase::{Phrase, bytes, plain_job, span},
};

/// What a run that succeeded tells of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// How long it took.
    pub seconds: f64,
    /// Tables, where the job counts them.
    pub tables: Option<u64>,
    /// Rows, where the job counts them.
    pub rows: Option<u64>,
    /// Bytes of these rows.
    pub bytes: Option<u64>,
}

/// What a month's report tells in short.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MonthFigures {
    /// The month, as `2026-10`.
    pub month: String,
    /// Backups of the month.
    pub backups: u64,
    /// Restore tests of the month.
    pub restore_tests: u64,
    /// Runs of the month that did not end well.
    pub failures: u64,
    /// Where the page is, for those who may log in.
    pub link: Option<String>,
}

pub(super) fn succeeded(scene: &Scene<'_>, figures: &Figures) -> Told {
    let (job, plain) = (scene.job_name(), scene.in_(plain_job(scene.job)));
    let mut happened = vec![scene.say(
        || format!("A tarefa \"{job}\" deu certo em {}.", span(figures.seconds)),
        || format!("The job \"{job}\" succeeded in {}.", span(figures.seconds)),
    )];
    if let (Some(tables), Some(rows)) = (figures.tables, figures.rows) {
        let size = figures.bytes.map(|size| format!(", {}", bytes(size))).unwrap_or_default();
        happened.push(scene.say(
            || format!("{tables} tabelas, {rows} registros{size}."),
            || format!("{tables} tables, {rows} rows{size}."),
        ));
    }
    Told {
        subject: scene.say(
            || format!("[gorgen-backup] {plain}: SUCESSO"),
            || format!("[gorgen-backup] {plain}: SUCCESS"),
        ),
        happened,
        means: vec![scene.newest_line()],
        todo: Vec::new(),
    }
}

pub(super) fn report(scene: &Scene<'_>, figures: &MonthFigures) -> Told {
    let MonthFigures { month, backups, restore_tests, failures, link } = figures;
    let all_well = *failures == 0 && *backups > 0;
    let verdict = if all_well {
        Phrase { pt: "Nenhuma execução falhou no mês.", en: "No run of the month failed." }
    } else {
        Phrase {
            pt: "Nem tudo deu certo no mês: o relatório diz o quê.",
            en: "Not all went well in the month: the report says what.",
        }
    };
    let verdict = scene.in_(verdict);
    let todo = scene.in_(Phrase {
        pt: "Leia o relatório e guarde-o com os documentos da clínica. A API também o dá: GET /v1/reports/MÊS.",
        en: "Read the report, and keep it with the clinic's papers. The API gives it, too: GET /v1/reports/MONTH.",
    });
    let mut todo = vec![todo.to_owned()];
    todo.extend(link.as_ref().map(|link| {
        scene.say(
            || format!("A página, para quem entra no console da AWS: {link}"),
            || format!("The page, for those who log in to the AWS console: {link}"),
        )
    }));
    Told {
        subject: scene.say(
            || format!("[gorgen-backup] relatorio de {month}: {failures} falha(s)"),
            || format!("[gorgen-backup] report of {month}: {failures} failure(s)"),
        ),
        happened: vec![scene.say(
            || format!("O relatório de {month} está pronto: {backups} backups, {restore_tests} testes de restauração, {failures} execuções que não terminaram bem."),
            || format!("The report of {month} is there: {backups} backups, {restore_tests} restore tests, {failures} runs that did not end well."),
        )],
        means: vec![verdict.to_owned(), scene.newest_line()],
        todo,
    }
}
