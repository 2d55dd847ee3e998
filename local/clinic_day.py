"""A day of work at the made-up clinic: what changes between two backups, some 0.5 % of all rows.

As in life, most of it is new rows and corrections of recent ones; only patients change all over their table. The day is
the one after the last visit, and its statements are ordinary ones, with triggers and foreign keys at work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import clinic_words as words
from clinic_dice import Dice, quote, sentence
from clinic_rows import note_text, vital_signs

# One in so many rows of a table comes new in a day.
NEW_ONE_IN = 300
# The newest part of a table in which rows are corrected and removed: one in so many of all rows.
RECENT_ONE_IN = 200


@dataclass(frozen=True)
class Change:
    """One statement of the day, and what to call the rows it touched."""

    label: str
    sql: str


@dataclass(frozen=True)
class Morning:
    """What the day starts from: rows and highest id of the tables, and the tenants."""

    rows: Mapping[str, int]
    last: Mapping[str, int]
    seed: int
    new_one_in: int = NEW_ONE_IN

    def new(self, table: str) -> int:
        """How many rows the day adds."""
        return max(self.rows[table] // self.new_one_in, 2)

    def recent(self, table: str) -> int:
        """The id after which rows of a table are recent."""
        return self.last[table] - max(self.rows[table] // RECENT_ONE_IN, 10)

    def dice(self, what: str) -> Dice:
        """Dice for a change, other ones each day."""
        return Dice(self.seed, f"day after visit {self.last['atendimentos']}: {what}")


def clock() -> str:
    """Sets the session's clock to the day's morning, for columns and triggers that ask for the time."""
    return (
        "SET timestamp = UNIX_TIMESTAMP((SELECT DATE(MAX(data_atendimento)) FROM atendimentos) "
        "+ INTERVAL 1 DAY + INTERVAL 11 HOUR);\n"
    )


def changes(morning: Morning) -> list[Change]:
    """The day's statements, in order."""
    return [*growth(morning), *_updates(morning), *_deletes(morning)]


def growth(morning: Morning) -> list[Change]:
    """What comes new in a day, nothing else."""
    return [
        Change("pacientes new", _new_patients(morning)),
        Change("agendamentos new", _new_appointments(morning)),
        Change("atendimentos new", _new_visits(morning)),
        Change("evolucoes new", _new_notes(morning)),
        Change("resultados_laboratoriais new", _new_results(morning)),
        Change("user_sessions new", _new_sessions(morning)),
        Change("fila_impressao new", _new_print_jobs(morning)),
    ]


def _from(morning: Morning, table: str, join: str = "") -> str:
    """A numbered row for each new one, in order, so that ids and the triggers' entries come out the same each time."""
    return f"FROM seq_1_to_{morning.new(table)} AS s {join} ORDER BY s.seq"


def _any_patient(morning: Morning, d: Dice) -> str:
    return f"JOIN pacientes p ON p.id = {morning.last['pacientes']} - {d.below(morning.rows['pacientes'])}"


def _user(morning: Morning, d: Dice, tenant: str) -> str:
    """A user of the tenant: users' ids go round the tenants."""
    tenants = morning.rows["tenants"]
    return f"{tenant} + {tenants} * {d.below(morning.rows['usuarios'] // tenants)}"


def _new_patients(m: Morning) -> str:
    d = m.dice("new patients")
    return (
        "INSERT INTO pacientes (id, tenant_id, nome, cpf, telefone, data_nascimento, sexo, endereco)\n"
        f"SELECT {m.last['pacientes']} + seq, 1 + seq % {m.rows['tenants']}, "
        f"{d.person(words.FIRST_NAMES, words.MIDDLE_NAMES, words.LAST_NAMES)}, {d.secret()}, {d.secret()}, "
        f"'1940-01-01' + INTERVAL {d.below(30_000)} DAY, {d.one_of(('feminino', 'masculino'))}, "
        f"{sentence('?, nº ?', d.one_of(words.STREETS), d.number(1, 999))}\n" + _from(m, "pacientes")
    )


def _new_appointments(m: Morning) -> str:
    d = m.dice("new appointments")
    patient = _any_patient(m, d)
    return (
        "INSERT INTO agendamentos (id, tenant_id, paciente_id, usuario_id, agendamento_origem_id, inicio, motivo)\n"
        f"SELECT {m.last['agendamentos']} + seq, p.tenant_id, p.id, {_user(m, d, 'p.tenant_id')}, "
        "IF(seq % 5 = 0, (SELECT MAX(o.id) FROM agendamentos o WHERE o.paciente_id = p.id), NULL), "
        f"NOW() + INTERVAL {d.number(1, 60)} DAY + INTERVAL 30 * {d.below(18)} MINUTE, {d.one_of(words.COMPLAINTS)}\n"
        + _from(m, "agendamentos", patient)
    )


def _new_visits(m: Morning) -> str:
    d = m.dice("new visits")
    patient = _any_patient(m, d)
    return (
        "INSERT INTO atendimentos\n"
        "(id, tenant_id, paciente_id, usuario_id, data_atendimento, tipo, cid, queixa, valor)\n"
        f"SELECT {m.last['atendimentos']} + seq, p.tenant_id, p.id, {_user(m, d, 'p.tenant_id')}, "
        f"NOW() + INTERVAL 5 * {d.below(120)} MINUTE, {d.one_of(('consulta', 'retorno', 'urgência'))}, "
        f"{d.one_of(words.CODES)}, {d.one_of(words.COMPLAINTS)}, {d.number(0, 900)}\n"
        + _from(m, "atendimentos", patient)
    )


def _new_notes(m: Morning) -> str:
    d = m.dice("new notes")
    visit = f"JOIN atendimentos a ON a.id = {m.last['atendimentos']} + s.seq"
    return (
        "INSERT INTO evolucoes (id, tenant_id, atendimento_id, paciente_id, usuario_id, texto, sinais_vitais)\n"
        f"SELECT {m.last['evolucoes']} + seq, a.tenant_id, a.id, a.paciente_id, a.usuario_id, "
        f"{note_text(d)}, {vital_signs(d)}\n" + _from(m, "evolucoes", visit)
    )


def _new_results(m: Morning) -> str:
    d = m.dice("new results")
    exams = [name for name, _, _, _ in words.EXAMS]
    visit = f"JOIN atendimentos a ON a.id = {m.last['atendimentos']} + 1 + s.seq % {m.new('atendimentos')}"
    return (
        "INSERT INTO resultados_laboratoriais (id, tenant_id, atendimento_id, exame, valor, unidade, coletado_em)\n"
        f"SELECT {m.last['resultados_laboratoriais']} + seq, a.tenant_id, a.id, {d.one_of(exams)}, "
        f"{d.below(200_000_000)} / 1000000, 'mg/dL', a.data_atendimento\n" + _from(m, "resultados_laboratoriais", visit)
    )


def _new_sessions(m: Morning) -> str:
    d = m.dice("new sessions")
    user = f"JOIN usuarios u ON u.id = 1 + {d.below(m.rows['usuarios'])}"
    return (
        "INSERT INTO user_sessions (id, tenant_id, usuario_id, token_hash, navegador, created_at, expira_em)\n"
        f"SELECT {d.uuid()}, u.tenant_id, u.id, {d.hex64()}, {d.one_of(words.BROWSERS)}, "
        "NOW(6), NOW(6) + INTERVAL 30 DAY\n" + _from(m, "user_sessions", user)
    )


def _new_print_jobs(m: Morning) -> str:
    return (
        "INSERT INTO fila_impressao (tenant_id, usuario_id, documento, copias, solicitado_em)\n"
        f"SELECT 1, 1, {quote(words.DOCUMENTS[0])}, 2, NOW()\n" + _from(m, "fila_impressao")
    )


def _updates(m: Morning) -> list[Change]:
    odd_one = m.last["atendimentos"] % 997
    addendum = quote('\n\nAdendo: onde se lê "direita", leia-se "esquerda". ✍️')
    return [
        Change(
            "pacientes changed",
            f"UPDATE pacientes SET endereco = CONCAT({Dice(m.seed, 'move', 'id').one_of(words.STREETS)}, ', s/nº'), "
            f"convenio = 'Vida Plena' WHERE id % 997 = {odd_one} ORDER BY id",
        ),
        Change(
            "agendamentos changed",
            f"UPDATE agendamentos SET status = IF(id % 3 = 0, 'cancelado', 'confirmado') "
            f"WHERE id > {m.recent('agendamentos')} AND status IN ('marcado', 'confirmado') ORDER BY id",
        ),
        Change(
            "evolucoes changed",
            f"UPDATE evolucoes SET texto = CONCAT(texto, {addendum}), assinatura = NULL "
            f"WHERE id > {m.recent('evolucoes')} AND id % 3 = {m.last['atendimentos'] % 3} ORDER BY id",
        ),
        Change(
            "resultados_laboratoriais changed",
            f"UPDATE resultados_laboratoriais SET valor = valor * 1.01, situacao = 'atenção', "
            "observacao = 'Corrigido: ver C:\\\\laudos\\\\2025' "
            f"WHERE id > {m.recent('resultados_laboratoriais')} AND CRC32(id) % 10 = {odd_one % 10} ORDER BY id",
        ),
        Change(
            "atendimentos changed",
            f"UPDATE atendimentos SET faturado = 1 WHERE id > {m.recent('atendimentos')} AND faturado = 0 ORDER BY id",
        ),
    ]


def _deletes(m: Morning) -> list[Change]:
    return [
        Change("user_sessions removed", "DELETE FROM user_sessions WHERE expira_em < NOW()"),
        Change(
            "agendamentos removed",
            f"DELETE FROM agendamentos WHERE id > {m.recent('agendamentos')} AND status = 'cancelado' AND id % 2 = 0",
        ),
        Change(
            "resultados_laboratoriais removed",
            f"DELETE FROM resultados_laboratoriais "
            f"WHERE id > {m.recent('resultados_laboratoriais')} AND CRC32(id) % 50 = 7",
        ),
        Change(
            "fila_impressao removed",
            "DELETE FROM fila_impressao WHERE solicitado_em < NOW() - INTERVAL 1 DAY AND copias = 1",
        ),
    ]
