-- The made-up clinic: views, triggers, a procedure and an event. Created after the rows, so that filling fires nothing.

CREATE VIEW vw_pacientes_ativos AS
  SELECT id, tenant_id, COALESCE(nome_social, nome) AS nome, data_nascimento, convenio
  FROM pacientes WHERE ativo = 1;

CREATE VIEW vw_agenda AS
  SELECT a.id, a.tenant_id, a.inicio, a.status, p.nome AS paciente, u.nome AS profissional
  FROM agendamentos a
  JOIN vw_pacientes_ativos p ON p.id = a.paciente_id
  JOIN usuarios u ON u.id = a.usuario_id;

DELIMITER //

CREATE TRIGGER trg_pacientes_inclusao AFTER INSERT ON pacientes FOR EACH ROW
BEGIN
  INSERT INTO audit_log (tenant_id, acao, tabela, registro_id, dados)
  VALUES (NEW.tenant_id, 'inclusão', 'pacientes', NEW.id, JSON_OBJECT('convenio', NEW.convenio));
END //

CREATE TRIGGER trg_pacientes_alteracao AFTER UPDATE ON pacientes FOR EACH ROW
BEGIN
  INSERT INTO audit_log (tenant_id, acao, tabela, registro_id, dados)
  VALUES (NEW.tenant_id, 'alteração', 'pacientes', NEW.id,
          JSON_OBJECT('antes', JSON_OBJECT('endereco', OLD.endereco, 'convenio', OLD.convenio),
                      'depois', JSON_OBJECT('endereco', NEW.endereco, 'convenio', NEW.convenio)));
END //

CREATE TRIGGER trg_evolucoes_alteracao AFTER UPDATE ON evolucoes FOR EACH ROW
BEGIN
  INSERT INTO audit_log (tenant_id, usuario_id, acao, tabela, registro_id, dados)
  VALUES (NEW.tenant_id, NEW.usuario_id, 'alteração', 'evolucoes', NEW.id,
          JSON_OBJECT('tamanho_antes', CHAR_LENGTH(OLD.texto), 'tamanho_depois', CHAR_LENGTH(NEW.texto)));
END //

CREATE PROCEDURE sp_resumo_paciente(IN p_paciente INT)
  READS SQL DATA
  COMMENT 'Última visita e número de evoluções de um paciente'
BEGIN
  SELECT p.nome, MAX(a.data_atendimento) AS ultima_visita, COUNT(e.id) AS evolucoes
  FROM pacientes p
  LEFT JOIN atendimentos a ON a.paciente_id = p.id
  LEFT JOIN evolucoes e ON e.atendimento_id = a.id
  WHERE p.id = p_paciente
  GROUP BY p.nome;
END //

CREATE EVENT ev_limpa_sessoes
  ON SCHEDULE EVERY 1 DAY STARTS '2025-01-01 03:30:00'
  ON COMPLETION PRESERVE DISABLE
  COMMENT 'Remove sessões expiradas'
DO BEGIN
  DELETE FROM user_sessions WHERE expira_em < NOW();
END //

DELIMITER ;
