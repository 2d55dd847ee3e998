"""The words the made-up clinic is written with. All names, places and findings are invented or common ones."""

FIRST_NAMES = (
    "Ana", "João", "Maria", "José", "Antônia", "Francisco", "Conceição", "Luís", "Inês", "Sebastião", "Júlia", "Otávio",
    "Beatriz", "Caetano", "Lívia", "Estêvão", "Márcia", "Raimundo", "Íris", "Gonçalo", "Helena", "Tomé", "Sônia",
    "Vinícius", "Flávia", "Adão", "Cecília", "Joaquim", "Aparecida", "Benício", "Verônica", "Thiago", "Noêmia",
    "Ângelo",
)  # fmt: skip
MIDDLE_NAMES = (
    "Aparecida", "Augusto", "das Graças", "de Fátima", "Henrique", "Regina", "dos Anjos", "Cristina", "Otaviano",
    "Rita", "Eduardo", "do Carmo", "Batista", "Luiza", "Emanuel", "da Penha", "Heloísa", "Valentim", "Rosa", "Inácio",
)  # fmt: skip
LAST_NAMES = (
    "Silva", "Souza", "Araújo", "D'Ávila", "Magalhães", "Corrêa", "Simões", "Gusmão", "Peçanha", "Falcão", "Guimarães",
    "Brandão", "Sant'Anna", "Leitão", "Proença", "Galvão", "Menezes", "Brito", "Vilhena", "Tavares", "Quadros", "Uchôa",
    "Bulhões", "Camargo", "Frazão", "Lacerda", "Mourão", "Nóbrega", "Paixão", "Rebouças", "Seabra", "Teles", "Varejão",
)  # fmt: skip
STREETS = (
    "Rua das Acácias", "Avenida São João", "Travessa do Comércio", "Rua Padre Anchieta", "Alameda dos Ipês",
    "Rua Conceição", "Avenida Getúlio", "Praça da Matriz", "Rua do Sabiá", "Ladeira da Glória", "Rua 7 de Setembro",
)  # fmt: skip
DISTRICTS = ("Centro", "Jardim América", "Vila São José", "Água Verde", "Boa Esperança", "Três Marias", "Mooca", "Sé")
CITIES = (
    ("Gorgen do Sul", "RS"), ("São Caetano do Ipê", "SP"), ("Poços Claros", "MG"), ("Itaúna da Serra", "PR"),
    ("Ribeirão Açu", "BA"), ("Conceição do Mar", "CE"),
)  # fmt: skip
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/128.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile",
)
COMPLAINTS = (
    "Dor de cabeça há 3 dias", "Febre e tosse seca", 'Refere "pontadas" no peito', "Dor lombar ao esforço",
    "Retorno com exames", "Tontura ao levantar", "Náuseas após as refeições", "Falta de ar aos médios esforços",
    "Renovação de receita", "Acompanhamento de hipertensão", "Dor de garganta e rouquidão", "Insônia e ansiedade",
    "Controle de diabetes", "Edema em membros inferiores", "Pré-operatório", "Alergia na pele (coceira)",
)  # fmt: skip
ALLERGIES = (
    "Dipirona (urticária)", "Penicilina: reação grave em 2009!", "Frutos do mar", "Látex; iodo", "Nega alergias",
    "Ácido acetilsalicílico\nAnti-inflamatórios em geral", 'Refere "alergia a tudo"',
)  # fmt: skip
CODES = (
    "I10",
    "E11.9",
    "J06.9",
    "M54.5",
    "R51",
    "F41.1",
    "K29.7",
    "N39.0",
    "J45.0",
    "L50.9",
    "Z00.0",
    "E03.9",
    "D50.9",
)
HISTORY = (
    "Paciente refere melhora do quadro desde a última consulta, em uso regular das medicações.",
    "Início súbito há cerca de uma semana, sem fatores desencadeantes conhecidos.",
    'Relata que "piora à noite" e melhora com repouso; nega febre.',
    "Quadro arrastado, com várias idas ao pronto-socorro; traz exames de fora.",
    "Nega tabagismo e etilismo. Pai hipertenso, mãe diabética (†2019).",
    "Acompanhante informa recusa alimentar e perda de peso não quantificada.",
    "Sem queixas novas. Dorme bem, evacuações presentes, diurese preservada.",
    "Dor tipo cólica, intensidade 7/10, irradiada para o dorso.",
    "Fez uso de chá caseiro e \"remédio da vizinha\", sem alívio.",
    "Cirurgia prévia: colecistectomia (2011), cesárea (2015).",
    "Última dose da insulina esquecida por 2 dias; orientada sobre adesão.",
    "Refere palpitações esporádicas, sem síncope ou pré-síncope.",
)  # fmt: skip
FINDINGS = (
    "BEG, corado, hidratado, acianótico, anictérico, afebril.",
    "MV presente bilateralmente, sem ruídos adventícios.",
    "Estertores crepitantes em base D; SpO2 limítrofe.",
    "RCR 2T, bulhas normofonéticas, sem sopros.",
    "Abdome flácido, indolor, RHA+; Blumberg negativo.",
    "Edema +/4+ em MMII, panturrilhas livres.",
    "Pulsos palpáveis e simétricos; perfusão < 2 s.",
    "Orofaringe hiperemiada, sem placas.",
    "Lesões eritemato-descamativas em cotovelos.",
    "Glasgow 15, pupilas isocóricas e fotorreagentes.",
    "Laségue negativo; força grau V em membros.",
    "Otoscopia sem alterações à E; abaulamento à D.",
)  # fmt: skip
PLANS = (
    "Solicito hemograma, ureia, creatinina e ECG.",
    "Mantenho losartana 50 mg 12/12 h.",
    "Metformina 850 mg após o almoço e o jantar.",
    "Oriento dieta hipossódica e caminhada 3x/semana.",
    "Retorno em 30 dias ou antes, se piora.",
    "Encaminho à cardiologia (prioridade).",
    "Atestado de 2 dias.",
    "Analgesia se dor: dipirona 1 g até 6/6 h.",
    "Explico riscos & benefícios; paciente concorda.",
    "Vacinação: influenza em dia, dT atrasada.",
    "Suspendo AINE; protetor gástrico por 14 dias.",
    "Alta do episódio. Sinais de alarme reforçados.",
)  # fmt: skip
NOTES = (
    "", "", "", "Obs.: paciente muito simpático 😀", "⚠️ Conferir alergia antes de prescrever!",
    "Família ciente 👨‍👩‍👧.",
    "Laudo em C:\\laudos\\2024\\tórax\\rx_novo.pdf", "Ver \\\\servidor\\exames\\ecg (senha na recepção)",
    "Peso aferido s/ calçado\t(balança nº 2)", "Trouxe 'carta' do SUS: 100% legível",
    "🩺 Teleconsulta; áudio ruim — repetir.",
)  # fmt: skip
# Name, unit, lowest and highest normal value in thousandths of the unit.
EXAMS = (
    ("Glicose em jejum", "mg/dL", 70_000, 99_000), ("Hemoglobina", "g/dL", 12_000, 17_500),
    ("Hemoglobina glicada", "%", 4_000, 5_700), ("Colesterol total", "mg/dL", 110_000, 190_000),
    ("Colesterol HDL", "mg/dL", 40_000, 90_000), ("Triglicerídeos", "mg/dL", 50_000, 150_000),
    ("Creatinina", "mg/dL", 600, 1_300), ("Ureia", "mg/dL", 15_000, 45_000), ("Potássio", "mEq/L", 3_500, 5_100),
    ("Sódio", "mEq/L", 135_000, 145_000), ("TSH ultrassensível", "mUI/L", 400, 4_300),
    ("Ferro sérico", "µg/dL", 50_000, 170_000), ("Leucócitos", "células/mm³", 4_000_000, 11_000_000),
    ("Plaquetas", "células/mm³", 150_000_000, 450_000_000), ("Ácido úrico", "mg/dL", 2_400, 7_000),
)  # fmt: skip
DOCUMENTS = (
    "Receita simples",
    "Atestado médico",
    "Guia de exame nº 12",
    "Declaração de comparecimento",
    "Laudo (2ª via)",
)
REMARKS = ("Amostra hemolisada", "Repetir em 15 dias", 'Jejum "parcial"', "Método: ELISA\tkit nº 4")
