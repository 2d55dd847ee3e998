"""The plan of the made-up clinic: how many rows it has, and how they refer to each other.

They do so by arithmetic, not by lookup: the tenant of a patient, the patient of a visit and the visit of a result all
follow from a row number, so that every foreign key holds and each table can be filled by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from clinic_dice import Dice

# Rows of the clinic at its full size, which is that of the comparisons in the docs: 1.07 GB as tab-separated text.
FULL_MB = 1070
FULL = {
    "cep_coordenadas": 40_000,
    "usuarios": 400,
    "pacientes": 150_000,
    "agendamentos": 300_000,
    "atendimentos": 1_200_000,
    "evolucoes": 500_000,
    "resultados_laboratoriais": 3_000_000,
    "audit_log": 1_000_000,
    "user_sessions": 20_000,
    "fila_impressao": 4_000,
}
FIRST_PATIENT = 30_001
FIRST_VISIT = 240_001
FIRST_DAY = "2021-01-04"
DAYS = 1_460


@dataclass(frozen=True)
class Clinic:
    """A clinic of a size, and the arithmetic that ties its rows together."""

    size_mb: int
    seed: int
    tenants: int

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        scaled = max(FULL[table] * self.size_mb // FULL_MB, 20)
        return max(scaled // self.tenants, 4) * self.tenants if table == "usuarios" else scaled

    def sequence(self, table: str) -> str:
        """Row numbers from 0."""
        return f"(SELECT seq FROM seq_0_to_{self.rows(table) - 1}) AS s"

    def dice(self, table: str) -> Dice:
        """The dice of a table."""
        return Dice(self.seed, table)

    def cep(self, row: str) -> str:
        """The postcode of a row of cep_coordenadas: nine regions, unique, eight digits up to a clinic of 27 GB."""
        return f"(({row}) DIV 9) * 89 + 10000000 * (1 + ({row}) % 9)"

    def patient(self, visit: str) -> str:
        """The patient's row of a visit's row. The visits of a return appointment share the patient of its origin."""
        origin = f"(({visit}) - IF(({visit}) % 28 = 12, 4, 0))"
        return Dice(self.seed, "patient of a visit").below(self.rows("pacientes"), origin)

    def tenant(self, patient: str) -> str:
        """The tenant of a patient's row."""
        return f"(1 + ({patient}) % {self.tenants})"

    def user(self, patient: str, row: str) -> str:
        """One of the users of the patient's tenant."""
        each = self.rows("usuarios") // self.tenants
        return f"(1 + ({patient}) % {self.tenants} + {self.tenants} * {Dice(self.seed, 'user').below(each, row)})"

    def moment(self, visit: str) -> str:
        """When a visit took place: in order of the rows, in opening hours."""
        day = f"({visit}) * {DAYS} DIV {self.rows('atendimentos')}"
        minute = f"480 + 5 * {Dice(self.seed, 'moment').below(120, visit)}"
        return f"'{FIRST_DAY}' + INTERVAL {day} DAY + INTERVAL {minute} MINUTE"

    def visit_of(self, table: str) -> str:
        """The visit's row that a row of another table belongs to: spread evenly, in the same order."""
        return f"(seq * {self.rows('atendimentos')} DIV {self.rows(table)})"
