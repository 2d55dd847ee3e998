-- The made-up clinic: its tables. Most carry tenant_id; the exceptions are part of what a backup must cope with.

CREATE TABLE tenants (
  id INT NOT NULL AUTO_INCREMENT,
  nome VARCHAR(160) NOT NULL,
  cnpj CHAR(18) NOT NULL,
  plano ENUM('básico','clínica','rede hospitalar') NOT NULL DEFAULT 'básico',
  configuracoes JSON NOT NULL,
  ativo TINYINT(1) NOT NULL DEFAULT 1,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY uk_tenants_cnpj (cnpj)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE usuarios (
  id INT NOT NULL AUTO_INCREMENT,
  tenant_id INT NOT NULL,
  nome VARCHAR(160) NOT NULL,
  email VARCHAR(190) NOT NULL,
  papel ENUM('recepção','enfermagem','médico','admin','admin_master') NOT NULL,
  registro_conselho VARCHAR(20) DEFAULT NULL,
  senha_hash CHAR(60) NOT NULL,
  ativo TINYINT(1) NOT NULL DEFAULT 1,
  ultimo_acesso DATETIME(3) DEFAULT NULL,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY uk_usuarios_email (email),
  KEY idx_usuarios_tenant (tenant_id, papel),
  CONSTRAINT fk_usuarios_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Belongs to a tenant only through its user.
CREATE TABLE preferencias_usuario (
  usuario_id INT NOT NULL,
  tema ENUM('claro','escuro','automático') NOT NULL DEFAULT 'automático',
  preferencias JSON DEFAULT NULL,
  PRIMARY KEY (usuario_id),
  CONSTRAINT fk_preferencias_usuario FOREIGN KEY (usuario_id) REFERENCES usuarios (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE cep_coordenadas (
  cep VARCHAR(8) CHARACTER SET ascii NOT NULL,
  logradouro VARCHAR(160) NOT NULL,
  bairro VARCHAR(80) NOT NULL,
  cidade VARCHAR(80) NOT NULL,
  uf CHAR(2) NOT NULL,
  latitude DECIMAL(10,8) NOT NULL,
  longitude DECIMAL(11,8) NOT NULL,
  regiao CHAR(1) CHARACTER SET ascii GENERATED ALWAYS AS (SUBSTRING(cep, 1, 1)) STORED,
  PRIMARY KEY (cep),
  KEY idx_cep_cidade (uf, cidade),
  KEY idx_cep_regiao (regiao)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- cpf, email and telefone arrive encrypted by the app.
CREATE TABLE pacientes (
  id INT NOT NULL AUTO_INCREMENT,
  tenant_id INT NOT NULL,
  nome VARCHAR(160) NOT NULL,
  nome_social VARCHAR(160) DEFAULT NULL,
  cpf VARCHAR(255) NOT NULL,
  email VARCHAR(255) DEFAULT NULL,
  telefone VARCHAR(255) DEFAULT NULL,
  data_nascimento DATE NOT NULL,
  sexo ENUM('feminino','masculino','não informado') NOT NULL DEFAULT 'não informado',
  convenio ENUM('particular','Saúde Ipê','Vida Plena','São Camilo','Público') NOT NULL DEFAULT 'particular',
  cep VARCHAR(8) CHARACTER SET ascii DEFAULT NULL,
  endereco VARCHAR(200) DEFAULT NULL,
  alergias TEXT DEFAULT NULL,
  ativo TINYINT(1) NOT NULL DEFAULT 1,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  KEY idx_pacientes_nome (tenant_id, nome),
  KEY idx_pacientes_cep (cep),
  CONSTRAINT fk_pacientes_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT fk_pacientes_cep FOREIGN KEY (cep) REFERENCES cep_coordenadas (cep)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Belongs to two tenants at once, neither in a column called tenant_id.
CREATE TABLE compartilhamentos (
  id INT NOT NULL AUTO_INCREMENT,
  tenant_origem_id INT NOT NULL,
  tenant_destino_id INT NOT NULL,
  paciente_id INT NOT NULL,
  motivo TEXT NOT NULL,
  valido_ate DATE DEFAULT NULL,
  PRIMARY KEY (id),
  KEY idx_compartilhamentos_destino (tenant_destino_id),
  KEY idx_compartilhamentos_origem (tenant_origem_id),
  KEY idx_compartilhamentos_paciente (paciente_id),
  CONSTRAINT fk_compartilhamentos_destino FOREIGN KEY (tenant_destino_id) REFERENCES tenants (id),
  CONSTRAINT fk_compartilhamentos_origem FOREIGN KEY (tenant_origem_id) REFERENCES tenants (id),
  CONSTRAINT fk_compartilhamentos_paciente FOREIGN KEY (paciente_id) REFERENCES pacientes (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE agendamentos (
  id INT NOT NULL AUTO_INCREMENT,
  tenant_id INT NOT NULL,
  paciente_id INT NOT NULL,
  usuario_id INT NOT NULL,
  agendamento_origem_id INT DEFAULT NULL,
  inicio DATETIME NOT NULL,
  duracao_min SMALLINT NOT NULL DEFAULT 30,
  status ENUM('marcado','confirmado','concluído','não compareceu','cancelado') NOT NULL DEFAULT 'marcado',
  motivo VARCHAR(255) DEFAULT NULL,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  KEY idx_agendamentos_agenda (tenant_id, inicio),
  KEY idx_agendamentos_paciente (paciente_id),
  KEY idx_agendamentos_usuario (usuario_id),
  KEY idx_agendamentos_origem (agendamento_origem_id),
  CONSTRAINT fk_agendamentos_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT fk_agendamentos_paciente FOREIGN KEY (paciente_id) REFERENCES pacientes (id),
  CONSTRAINT fk_agendamentos_usuario FOREIGN KEY (usuario_id) REFERENCES usuarios (id),
  CONSTRAINT fk_agendamentos_origem FOREIGN KEY (agendamento_origem_id) REFERENCES agendamentos (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE atendimentos (
  id INT NOT NULL AUTO_INCREMENT,
  tenant_id INT NOT NULL,
  paciente_id INT NOT NULL,
  usuario_id INT NOT NULL,
  agendamento_id INT DEFAULT NULL,
  data_atendimento DATETIME NOT NULL,
  tipo ENUM('consulta','retorno','urgência','procedimento','exame') NOT NULL DEFAULT 'consulta',
  cid VARCHAR(6) DEFAULT NULL,
  queixa VARCHAR(255) DEFAULT NULL,
  valor DECIMAL(10,2) NOT NULL DEFAULT 0.00,
  faturado TINYINT(1) NOT NULL DEFAULT 0,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  KEY idx_atendimentos_data (tenant_id, data_atendimento),
  KEY idx_atendimentos_paciente (paciente_id),
  KEY idx_atendimentos_usuario (usuario_id),
  KEY idx_atendimentos_agendamento (agendamento_id),
  CONSTRAINT fk_atendimentos_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT fk_atendimentos_paciente FOREIGN KEY (paciente_id) REFERENCES pacientes (id),
  CONSTRAINT fk_atendimentos_usuario FOREIGN KEY (usuario_id) REFERENCES usuarios (id),
  CONSTRAINT fk_atendimentos_agendamento FOREIGN KEY (agendamento_id) REFERENCES agendamentos (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE evolucoes (
  id INT NOT NULL AUTO_INCREMENT,
  tenant_id INT NOT NULL,
  atendimento_id INT NOT NULL,
  paciente_id INT NOT NULL,
  usuario_id INT NOT NULL,
  texto LONGTEXT NOT NULL,
  sinais_vitais JSON DEFAULT NULL,
  assinatura CHAR(64) CHARACTER SET ascii DEFAULT NULL,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  PRIMARY KEY (id),
  KEY idx_evolucoes_paciente (tenant_id, paciente_id),
  KEY idx_evolucoes_atendimento (atendimento_id),
  KEY idx_evolucoes_pac (paciente_id),
  KEY idx_evolucoes_usuario (usuario_id),
  CONSTRAINT fk_evolucoes_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT fk_evolucoes_atendimento FOREIGN KEY (atendimento_id) REFERENCES atendimentos (id),
  CONSTRAINT fk_evolucoes_paciente FOREIGN KEY (paciente_id) REFERENCES pacientes (id),
  CONSTRAINT fk_evolucoes_usuario FOREIGN KEY (usuario_id) REFERENCES usuarios (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE resultados_laboratoriais (
  id BIGINT NOT NULL AUTO_INCREMENT,
  tenant_id INT NOT NULL,
  atendimento_id INT NOT NULL,
  exame VARCHAR(60) NOT NULL,
  valor DECIMAL(15,6) NOT NULL,
  unidade ENUM('mg/dL','g/dL','µg/dL','mUI/L','mEq/L','%','células/mm³') NOT NULL,
  situacao ENUM('normal','atenção','crítico','não reagente') NOT NULL DEFAULT 'normal',
  referencia_min FLOAT DEFAULT NULL,
  referencia_max FLOAT DEFAULT NULL,
  medida_bruta DOUBLE DEFAULT NULL,
  coletado_em DATETIME NOT NULL,
  observacao VARCHAR(255) DEFAULT NULL,
  PRIMARY KEY (id),
  KEY idx_resultados_exame (tenant_id, exame),
  KEY idx_resultados_atendimento (atendimento_id),
  CONSTRAINT fk_resultados_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT fk_resultados_atendimento FOREIGN KEY (atendimento_id) REFERENCES atendimentos (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Append-only: no entry is ever changed or removed, so none refers to a row that may go.
CREATE TABLE audit_log (
  id BIGINT NOT NULL AUTO_INCREMENT,
  tenant_id INT NOT NULL,
  usuario_id INT DEFAULT NULL,
  acao VARCHAR(40) NOT NULL,
  tabela VARCHAR(64) NOT NULL,
  registro_id BIGINT DEFAULT NULL,
  dados JSON DEFAULT NULL,
  ip VARCHAR(45) DEFAULT NULL,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (id),
  KEY idx_audit_tenant (tenant_id, created_at),
  KEY idx_audit_registro (tabela, registro_id),
  CONSTRAINT fk_audit_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The one table whose tenant_id is text.
CREATE TABLE user_sessions (
  id CHAR(36) CHARACTER SET ascii NOT NULL,
  tenant_id VARCHAR(36) NOT NULL,
  usuario_id INT NOT NULL,
  token_hash CHAR(64) CHARACTER SET ascii NOT NULL,
  navegador VARCHAR(160) DEFAULT NULL,
  created_at DATETIME(6) NOT NULL,
  expira_em DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  KEY idx_sessions_usuario (usuario_id),
  KEY idx_sessions_expira (expira_em),
  CONSTRAINT fk_sessions_usuario FOREIGN KEY (usuario_id) REFERENCES usuarios (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- No primary key, and equal rows are two jobs.
CREATE TABLE fila_impressao (
  tenant_id INT NOT NULL,
  usuario_id INT DEFAULT NULL,
  documento VARCHAR(120) NOT NULL,
  copias TINYINT NOT NULL DEFAULT 1,
  solicitado_em DATETIME NOT NULL,
  KEY idx_fila_usuario (usuario_id),
  CONSTRAINT fk_fila_usuario FOREIGN KEY (usuario_id) REFERENCES usuarios (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
