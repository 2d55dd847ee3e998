"""The rows of the made-up clinic: for every table one INSERT ... SELECT that the server runs over a sequence."""

from __future__ import annotations

import clinic_words as words
from clinic_dice import Dice, pick, quote, sentence
from clinic_plan import DAYS, FIRST_DAY, FIRST_PATIENT, FIRST_VISIT, Clinic


def inserts(clinic: Clinic) -> dict[str, str]:
    """The statement that fills each table. Any order will do while foreign keys are not checked."""
    return {
        "evolucoes": _notes(clinic),
        "resultados_laboratoriais": _results(clinic),
        "atendimentos": _visits(clinic),
        "audit_log": _audit(clinic),
        "agendamentos": _appointments(clinic),
        "pacientes": _patients(clinic),
        "user_sessions": _sessions(clinic),
        "cep_coordenadas": _postcodes(clinic),
        "fila_impressao": _print_queue(clinic),
        "usuarios": _users(clinic),
        "preferencias_usuario": _preferences(clinic),
        "compartilhamentos": _shares(clinic),
        "tenants": _tenants(clinic),
    }


def _insert(table: str, columns: dict[str, str], source: str) -> str:
    """INSERT ... SELECT of named expressions."""
    return f"INSERT INTO {table} ({', '.join(columns)})\nSELECT {', '.join(columns.values())}\nFROM {source};\n"


def _tenants(clinic: Clinic) -> str:
    d = clinic.dice("tenants")
    return _insert(
        "tenants",
        {
            "id": "1 + seq",
            "nome": sentence("Clínica ? & ?", d.one_of(words.LAST_NAMES), d.one_of(words.LAST_NAMES)),
            "cnpj": sentence(
                "?.?.?/?-?",
                d.number(10, 99),
                d.number(100, 999),
                d.number(100, 999),
                "LPAD(1 + seq, 4, '0')",
                d.number(10, 99),
            ),
            "plano": d.one_of(("básico", "clínica", "rede hospitalar")),
            "configuracoes": sentence(
                '{"fuso":"America/Sao_Paulo","logo":"\\/img\\/?.png","cores":["#0a7","#fff"],"2fa":true}', "1 + seq"
            ),
            "created_at": f"'{FIRST_DAY} 03:00:00'",
            "updated_at": f"'{FIRST_DAY} 03:00:00'",
        },
        f"(SELECT seq FROM seq_0_to_{clinic.tenants - 1}) AS s",
    )


def _users(clinic: Clinic) -> str:
    d = clinic.dice("usuarios")
    role = d.below(5)
    roles = ("recepção", "enfermagem", "médico", "médico", "admin")
    return _insert(
        "usuarios",
        {
            "id": "1 + seq",
            "tenant_id": f"1 + seq % {clinic.tenants}",
            "nome": d.person(words.FIRST_NAMES, words.MIDDLE_NAMES, words.LAST_NAMES),
            "email": "CONCAT('usuario', 1 + seq, '@clinica.example')",
            "papel": f"IF(seq < {clinic.tenants}, 'admin_master', {pick(role, roles)})",
            "registro_conselho": f"IF({role} IN (2, 3), CONCAT('CRM-', {d.number(10000, 99999)}), NULL)",
            "senha_hash": f"CONCAT('$2b$12$', LEFT({d.hex64()}, 53))",
            "ultimo_acesso": f"'2024-12-30 08:00:00' + INTERVAL {d.below(86_400_000)} * 1000 MICROSECOND",
            "created_at": f"'{FIRST_DAY} 03:00:00' + INTERVAL {d.below(DAYS)} DAY",
        },
        clinic.sequence("usuarios"),
    )


def _preferences(clinic: Clinic) -> str:
    d = clinic.dice("preferencias_usuario")
    preferences = sentence('{"itens_por_pagina":?,"atalhos":{"nova evolução":"ctrl+e"},"som":null}', d.number(10, 50))
    return _insert(
        "preferencias_usuario",
        {
            "usuario_id": "1 + seq",
            "tema": d.one_of(("claro", "escuro", "automático")),
            "preferencias": d.sometimes(80, preferences),
        },
        clinic.sequence("usuarios"),
    )


def _postcodes(clinic: Clinic) -> str:
    d = clinic.dice("cep_coordenadas")
    city = d.below(len(words.CITIES))
    return _insert(
        "cep_coordenadas",
        {
            "cep": clinic.cep("seq"),
            "logradouro": d.one_of(words.STREETS),
            "bairro": d.one_of(words.DISTRICTS),
            "cidade": pick(city, [name for name, _ in words.CITIES]),
            "uf": pick(city, [state for _, state in words.CITIES]),
            "latitude": f"-{d.decimal(4, 31, 7)}",
            "longitude": f"-{d.decimal(38, 55, 7)}",
        },
        clinic.sequence("cep_coordenadas"),
    )


def _patients(clinic: Clinic) -> str:
    d = clinic.dice("pacientes")
    back_house = quote(", ap. 12\tfundos")
    return _insert(
        "pacientes",
        {
            "id": f"{FIRST_PATIENT} + seq",
            "tenant_id": clinic.tenant("seq"),
            "nome": d.person(words.FIRST_NAMES, words.MIDDLE_NAMES, words.LAST_NAMES),
            "nome_social": d.sometimes(3, d.one_of(words.FIRST_NAMES)),
            "cpf": d.secret(),
            "email": d.sometimes(70, d.secret()),
            "telefone": d.sometimes(90, d.secret()),
            "data_nascimento": f"'1930-01-01' + INTERVAL {d.below(34_000)} DAY",
            "sexo": d.one_of(("feminino", "masculino", "feminino", "masculino", "não informado")),
            "convenio": d.one_of(("particular", "Saúde Ipê", "Vida Plena", "São Camilo", "Público")),
            "cep": d.sometimes(95, clinic.cep(d.below(clinic.rows("cep_coordenadas")))),
            "endereco": sentence(
                "?, nº ??", d.one_of(words.STREETS), d.number(1, 2999), d.sometimes(30, back_house, quote(""))
            ),
            "alergias": d.sometimes(25, d.one_of(words.ALLERGIES)),
            "ativo": f"({d.below(50)} > 0)",
            "created_at": f"'{FIRST_DAY} 11:00:00' + INTERVAL seq * {DAYS} DIV {clinic.rows('pacientes')} DAY",
            "updated_at": f"'2024-06-01 11:00:00' + INTERVAL {d.below(150 * 86_400)} SECOND",
        },
        clinic.sequence("pacientes"),
    )


def _shares(clinic: Clinic) -> str:
    d = clinic.dice("compartilhamentos")
    patient = f"(seq * 7 % {clinic.rows('pacientes')})"
    return _insert(
        "compartilhamentos",
        {
            "id": "1 + seq",
            "tenant_origem_id": clinic.tenant(patient),
            "tenant_destino_id": f"1 + ({patient} + 1) % {clinic.tenants}",
            "paciente_id": f"{FIRST_PATIENT} + {patient}",
            "motivo": d.one_of(
                ("Segunda opinião", "Transferência de cuidado\n(família mudou-se)", "Exame em outra unidade")
            ),
            "valido_ate": d.sometimes(50, f"'2025-01-01' + INTERVAL {d.below(365)} DAY"),
        },
        "(SELECT seq FROM seq_0_to_19) AS s",
    )


def _appointments(clinic: Clinic) -> str:
    d = clinic.dice("agendamentos")
    visit = "(seq * 4)"
    patient = clinic.patient(visit)
    return _insert(
        "agendamentos",
        {
            "id": f"{FIRST_VISIT} + seq",
            "tenant_id": clinic.tenant(patient),
            "paciente_id": f"{FIRST_PATIENT} + {patient}",
            "usuario_id": clinic.user(patient, visit),
            "agendamento_origem_id": f"IF(seq % 7 = 3, {FIRST_VISIT} + seq - 1, NULL)",
            "inicio": clinic.moment(visit),
            "duracao_min": "15 * (1 + seq % 4)",
            "status": d.one_of(("concluído", "concluído", "concluído", "concluído", "não compareceu", "cancelado")),
            "motivo": d.sometimes(60, d.one_of(words.COMPLAINTS)),
            "created_at": f"{clinic.moment(visit)} - INTERVAL {d.below(30 * 86_400)} SECOND",
        },
        clinic.sequence("agendamentos"),
    )


def _visits(clinic: Clinic) -> str:
    d = clinic.dice("atendimentos")
    patient = clinic.patient("seq")
    appointment = f"IF(seq % 4 = 0 AND seq DIV 4 < {clinic.rows('agendamentos')}, {FIRST_VISIT} + seq DIV 4, NULL)"
    return _insert(
        "atendimentos",
        {
            "id": f"{FIRST_VISIT} + seq",
            "tenant_id": clinic.tenant(patient),
            "paciente_id": f"{FIRST_PATIENT} + {patient}",
            "usuario_id": clinic.user(patient, "seq"),
            "agendamento_id": appointment,
            "data_atendimento": clinic.moment("seq"),
            "tipo": d.one_of(("consulta", "consulta", "consulta", "retorno", "urgência", "procedimento", "exame")),
            "cid": d.sometimes(85, d.one_of(words.CODES)),
            "queixa": d.sometimes(90, d.one_of(words.COMPLAINTS)),
            "valor": f"{d.number(0, 900)} + {d.below(4)} * 0.25",
            "faturado": f"({d.below(10)} > 0)",
            "created_at": f"{clinic.moment('seq')} + INTERVAL {d.below(1800)} SECOND",
        },
        clinic.sequence("atendimentos"),
    )


def note_text(d: Dice) -> str:
    """A clinical note: lines, tabs, quotes, backslashes, accents and emoji, some 700 bytes."""
    return sentence(
        "Queixa: ?\r\n\r\nHDA: ? ?\n?"
        "\n\nExame físico:\nPA: ?x? mmHg\tFC: ? bpm\tTax: ? °C\tSpO2: ?%\tPeso: ? kg\n- ?\n- ?\n- ?"
        "\n\nConduta:\n1) ?\n2) ?\n3) ?\n\n?",
        d.one_of(words.COMPLAINTS),
        *(d.one_of(words.HISTORY) for _ in range(3)),
        d.number(95, 180),
        d.number(55, 110),
        d.number(52, 120),
        d.decimal(35, 39, 1),
        d.number(88, 100),
        d.decimal(40, 120, 1),
        *(d.one_of(words.FINDINGS) for _ in range(3)),
        *(d.one_of(words.PLANS) for _ in range(3)),
        d.one_of(words.NOTES),
    )


def vital_signs(d: Dice) -> str:
    """The vital signs as JSON."""
    return sentence(
        '{"pa":[?,?],"fc":?,"tax":?,"dor":"?/10","obs":?}',
        d.number(95, 180),
        d.number(55, 110),
        d.number(52, 120),
        d.decimal(35, 39, 1),
        d.number(0, 10),
        d.one_of(("null", '"em repouso"', '"após esforço \\"leve\\""', '"aferição à direita\\n(2ª medida)"')),
    )


def _notes(clinic: Clinic) -> str:
    d = clinic.dice("evolucoes")
    visit = clinic.visit_of("evolucoes")
    patient = clinic.patient(visit)
    return _insert(
        "evolucoes",
        {
            "id": "1 + seq",
            "tenant_id": clinic.tenant(patient),
            "atendimento_id": f"{FIRST_VISIT} + {visit}",
            "paciente_id": f"{FIRST_PATIENT} + {patient}",
            "usuario_id": clinic.user(patient, visit),
            "texto": note_text(d),
            "sinais_vitais": d.sometimes(80, vital_signs(d)),
            "assinatura": d.sometimes(70, d.hex64()),
            "created_at": f"{clinic.moment(visit)} + INTERVAL {d.below(1_200_000)} * 1000 MICROSECOND",
            "updated_at": f"{clinic.moment(visit)} + INTERVAL 1200000 + {d.below(1_200_000)} * 1000 MICROSECOND",
        },
        clinic.sequence("evolucoes"),
    )


def _results(clinic: Clinic) -> str:
    d = clinic.dice("resultados_laboratoriais")
    visit = clinic.visit_of("resultados_laboratoriais")
    exam = f"((seq + {d.below(3)}) % {len(words.EXAMS)})"
    low = f"ELT(1 + {exam}, {', '.join(str(low) for _, _, low, _ in words.EXAMS)})"
    high = f"ELT(1 + {exam}, {', '.join(str(high) for _, _, _, high in words.EXAMS)})"
    share = d.roll()
    return _insert(
        "resultados_laboratoriais",
        {
            "id": "1 + seq",
            "tenant_id": clinic.tenant(clinic.patient(visit)),
            "atendimento_id": f"{FIRST_VISIT} + {visit}",
            "exame": pick(exam, [name for name, _, _, _ in words.EXAMS]),
            "valor": f"{high} * ({share} % 1500) / 1000000",
            "unidade": pick(exam, [unit for _, unit, _, _ in words.EXAMS]),
            "situacao": f"IF({share} % 1500 > 1300, 'crítico', IF({share} % 1500 > 1000, 'atenção', 'normal'))",
            # Now and then a value that takes all the digits a FLOAT has.
            "referencia_min": f"{low} / {d.sometimes(20, '997', '1000')}",
            "referencia_max": f"{high} / 1000",
            "medida_bruta": d.sometimes(30, f"{d.roll()} / 7e6"),
            "coletado_em": f"{clinic.moment(visit)} + INTERVAL {d.below(3600)} SECOND",
            "observacao": d.sometimes(4, d.one_of(words.REMARKS)),
        },
        clinic.sequence("resultados_laboratoriais"),
    )


def _audit(clinic: Clinic) -> str:
    d = clinic.dice("audit_log")
    visit = clinic.visit_of("audit_log")
    patient = clinic.patient(visit)
    details = sentence(
        '{"rota":"/api/trpc/?","req":"?","ms":?,"campos":?}',
        d.one_of(("pacientes.obter", "evolucoes.salvar", "agenda.listar", "exames.importar")),
        f"LEFT({d.hex()}, 16)",
        d.number(3, 900),
        d.one_of(("[]", '["texto","cid"]', '["endereco"]', '{"antes":"não","depois":"sim \\"confirmado\\""}')),
    )
    return _insert(
        "audit_log",
        {
            "id": "1 + seq",
            "tenant_id": clinic.tenant(patient),
            "usuario_id": d.sometimes(97, clinic.user(patient, visit)),
            "acao": d.one_of(("leitura", "leitura", "leitura", "alteração", "inclusão", "exportação")),
            "tabela": d.one_of(("pacientes", "evolucoes", "atendimentos", "agendamentos")),
            "registro_id": f"{FIRST_VISIT} + {visit}",
            "dados": d.sometimes(95, details),
            "ip": sentence("10.?.?.?", d.below(4), d.below(256), d.below(256)),
            "created_at": f"{clinic.moment(visit)} + INTERVAL {d.below(3_600_000)} * 1000 MICROSECOND",
        },
        clinic.sequence("audit_log"),
    )


def _sessions(clinic: Clinic) -> str:
    d = clinic.dice("user_sessions")
    user = d.below(clinic.rows("usuarios"))
    begun = f"'2024-11-20 08:00:00' + INTERVAL {d.below(40 * 86_400)} * 1000000 + {d.below(1_000_000)} MICROSECOND"
    return _insert(
        "user_sessions",
        {
            "id": d.uuid(),
            "tenant_id": f"1 + {user} % {clinic.tenants}",
            "usuario_id": f"1 + {user}",
            "token_hash": d.hex64(),
            "navegador": d.one_of(words.BROWSERS),
            "created_at": begun,
            "expira_em": f"{begun} + INTERVAL 30 DAY",
        },
        clinic.sequence("user_sessions"),
    )


def _print_queue(clinic: Clinic) -> str:
    d = clinic.dice("fila_impressao")
    twin = "(seq DIV 2 * 2)"
    user = d.below(clinic.rows("usuarios"), twin)
    return _insert(
        "fila_impressao",
        {
            "tenant_id": f"1 + {user} % {clinic.tenants}",
            "usuario_id": f"1 + {user}",
            "documento": pick(d.below(len(words.DOCUMENTS), twin), words.DOCUMENTS),
            "copias": f"1 + {d.below(3, twin)}",
            "solicitado_em": f"'2024-12-30 08:00:00' + INTERVAL {twin} SECOND",
        },
        clinic.sequence("fila_impressao"),
    )
