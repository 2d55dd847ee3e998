/** What alarms and the topic say, in each language: what happened, what it means, and what to do, for someone who gets it by e-mail. */
import type { Config } from './config';
import type { FunctionName, Job } from './names';

export type Language = Config['language'];

/** A text in each language: one without the other does not compile. */
type Text = Readonly<Record<Language, string>>;

/** A job as people call it. */
const JOB_NAMES: Readonly<Record<FunctionName, Text>> = {
  backup: { 'pt-BR': 'o backup', en: 'the backup' },
  cleanup: { 'pt-BR': 'a limpeza', en: 'the cleanup' },
  'restore-test': { 'pt-BR': 'o teste de restauração', en: 'the restore test' },
  restore: { 'pt-BR': 'a restauração', en: 'the restore' },
  verify: { 'pt-BR': 'a verificação', en: 'the verification' },
  report: { 'pt-BR': 'o relatório', en: 'the report' },
  api: { 'pt-BR': 'a API', en: 'the API' },
};

/** What it means that it did not run to its end. */
const UNDONE: Readonly<Record<FunctionName, Text>> = {
  backup: {
    'pt-BR': 'Não conte com um backup desta execução; os anteriores continuam inteiros.',
    en: "Don't count on a backup of this run; earlier ones are as whole as before.",
  },
  cleanup: {
    'pt-BR': 'Nada que deve ser guardado saiu; backups vencidos custam espaço por mais tempo.',
    en: 'Nothing that is to be kept is gone; backups that are due cost space for longer.',
  },
  'restore-test': {
    'pt-BR': 'Desta vez não ficou provado que um backup pode ser restaurado; os backups não mudaram.',
    en: 'This time it was not proved that a backup can be restored; the backups are as they were.',
  },
  restore: {
    'pt-BR': 'As tabelas em uso são todas as antigas ou todas as restauradas: "gorgen-backup status" diz quais.',
    en: 'The live tables are all the old ones or all the restored ones: "gorgen-backup status" says which.',
  },
  verify: {
    'pt-BR': 'Não se sabe se o cofre está inteiro; nada mudou nele.',
    en: 'It is not known whether the vault is whole; nothing in it was changed.',
  },
  report: {
    'pt-BR': 'Só o relatório falta; os backups não são afetados.',
    en: 'Only the report is missing; backups are not affected.',
  },
  api: {
    'pt-BR': 'Alguém não recebeu resposta; backups agendados não dependem da API.',
    en: 'Somebody got no answer; scheduled backups do not depend on the API.',
  },
};

/** What is said of a job or a function. */
type OfFunction = (name: string, undone: string, functionName: string) => string;
type TextOfFunction = Readonly<Record<Language, OfFunction>>;

const FUNCTION_ALARMS = {
  failed: {
    'pt-BR': (job, undone) =>
      `Uma execução falhou: ${job}. ${undone} O aviso por e-mail diz a causa e o que fazer; sem ele, leia o registro da execução no cofre e o log da função.`,
    en: (job, undone) =>
      `A run failed: ${job}. ${undone} The notice by e-mail says why and what to do; without one, read the run's record in the vault and the function's log.`,
  },
  errors: {
    'pt-BR': (job, undone, functionName) =>
      `A função ${functionName} (${job}) terminou com erro. ${undone} Se não veio aviso, ela caiu ou esgotou tempo ou memória: leia as últimas linhas do log no CloudWatch e inicie-a de novo com {}.`,
    en: (job, undone, functionName) =>
      `The function ${functionName} (${job}) ended with an error. ${undone} If no notice came, it crashed or ran out of time or memory: read the last lines of its log in CloudWatch and start it again with {}.`,
  },
  throttles: {
    'pt-BR': (job, undone, functionName) =>
      `A função ${functionName} (${job}) não foi iniciada: funções demais da conta rodam ao mesmo tempo. ${undone} A AWS tenta de novo por uma hora; se o alarme continua, peça mais execuções simultâneas (Service Quotas) ou veja o que as ocupa.`,
    en: (job, undone, functionName) =>
      `The function ${functionName} (${job}) was not started: too many functions of the account run at once. ${undone} AWS tries again for an hour; if the alarm stays, ask for more concurrent executions (Service Quotas), or see what takes them.`,
  },
} satisfies Record<string, TextOfFunction>;

const ALARMS = {
  'no-good-backup': {
    'pt-BR':
      'Nenhum backup deu certo há 26 horas, ou nenhum rodou. O que mudou depois do mais recente não está protegido; os anteriores continuam bons. Agora: leia o log da função backup e inicie-a com {} no console da AWS.',
    en: 'No backup has succeeded for 26 hours, or none has run at all. What changed since the newest one is not protected; earlier ones are good. Now: look at the log of the function backup and start it with {} in the AWS console.',
  },
  'backup-size': {
    'pt-BR':
      'O tamanho de um backup difere mais de 30 % da média de sete dias. O backup está inteiro, mas dados podem ter sumido ou chegado em massa. Hoje: compare com "gorgen-backup show latest"; se sumiram, guarde o anterior com "gorgen-backup pin".',
    en: 'A backup\'s size is off by more than 30 % of the mean of seven days. The backup is whole, but data may have vanished or come in masses. Today: compare by "gorgen-backup show latest"; if data vanished, keep the one before with "gorgen-backup pin".',
  },
  'backup-slow': {
    'pt-BR':
      'Um backup levou mais de 30 minutos. Ele está inteiro; se continuar crescendo, não cabe no tempo da função. Esta semana: veja no painel o que mudou e aumente jobMemoryMb.',
    en: 'A backup took longer than 30 minutes. It is whole; if it keeps growing it will not fit into the function\'s time. This week: see on the dashboard what changed, and raise jobMemoryMb.',
  },
  'backups-damaged': {
    'pt-BR':
      'A verificação achou objetos que faltam ou estão danificados: os backups que o registro dela lista podem não ser restauráveis por inteiro. Hoje: "gorgen-backup verify --repair" copia da segunda região o que ela tem inteiro. Não apague nada.',
    en: 'The check of the vault found objects that are missing or damaged: backups that its record lists may not be restorable as a whole. Today: "gorgen-backup verify --repair" copies what the second region has whole. Delete nothing.',
  },
  'no-good-restore-test': {
    'pt-BR':
      'Nenhum teste de restauração deu certo há uma semana. Um backup que nunca foi restaurado é uma esperança. Hoje: leia o log da função restore-test, veja se o servidor de ensaio está no ar e inicie com {} a máquina de estados do teste (console da AWS, Step Functions).',
    en: 'No restore test has succeeded for a week. A backup that was never restored is a hope. Today: look at the log of the function restore-test, see whether the scratch server is up, and start the state machine of tests with {} (AWS console, Step Functions).',
  },
  'restores-failed': {
    'pt-BR':
      'Uma restauração falhou ou foi recusada. Nenhuma tabela fica restaurada pela metade. Agora: o registro dela (GET /v1/restores, "gorgen-backup status") diz por que e o que as tabelas em uso contêm.',
    en: 'A restore failed or was refused. No table is half restored. Now: its record (GET /v1/restores, "gorgen-backup status") says why, and what the live tables hold.',
  },
  'restores-timed-out': {
    'pt-BR':
      'Uma restauração passou de seis horas e parou onde estava. Nenhuma tabela fica restaurada pela metade. Agora: cancele-a ("gorgen-backup cancel"), o que remove o que ela carregou, ou termine-a pela linha de comando, que não tem limite de tempo.',
    en: 'A restore took longer than six hours and was given up where it was. No table is half restored. Now: cancel it ("gorgen-backup cancel"), which drops what it loaded, or finish it by the command line, which has no time limit.',
  },
  'restore-tests-failed': {
    'pt-BR':
      'A execução de um teste de restauração falhou. Desta vez não ficou provado que um backup pode ser restaurado; os backups não mudaram. Hoje: leia o aviso e o registro no cofre; se faltam, o último passo (End) não foi dado: veja a execução (console da AWS, Step Functions) e inicie outra com {}.',
    en: 'The execution of a restore test failed. This time it was not proved that a backup can be restored; the backups are as they were. Today: read the notice and the record in the vault; if there is none, the last step (End) was not taken: look at the execution (AWS console, Step Functions) and start another with {}.',
  },
  'restore-tests-timed-out': {
    'pt-BR':
      'Um teste de restauração passou de seis horas e foi encerrado sem o último passo: não há registro, e o banco de ensaio ainda tem dados. Os backups não mudaram. Hoje: apague o banco de ensaio, ou deixe o próximo teste apagá-lo (depois de 12 horas); veja na execução (console da AWS, Step Functions) o que demorou.',
    en: 'A restore test took longer than six hours and was ended without its last step: there is no record, and the scratch database still holds data. The backups are as they were. Today: drop the scratch database, or let the next test drop it (after 12 hours); see in the execution (AWS console, Step Functions) what took so long.',
  },
  'restore-tests-aborted': {
    'pt-BR':
      'Alguém parou a execução de um teste de restauração: não há registro, e o banco de ensaio pode ainda ter dados. Os backups não mudaram. Hoje: apague o banco de ensaio, ou deixe o próximo teste apagá-lo (depois de 12 horas), e inicie outra execução com {} (console da AWS, Step Functions).',
    en: 'Somebody stopped the execution of a restore test: there is no record, and the scratch database may still hold data. The backups are as they were. Today: drop the scratch database, or let the next test drop it (after 12 hours), and start another execution with {} (AWS console, Step Functions).',
  },
  'replication-failed': {
    'pt-BR':
      'O S3 desistiu de copiar um objeto para a segunda região. Os backups estão inteiros aqui; lá algo falta. Hoje: confira a regra, a função (role) e as chaves dela; depois "gorgen-backup verify --repair" ou S3 Batch Replication copia o que falta.',
    en: 'S3 gave up copying an object to the second region. The backups are whole here; something is missing there. Today: look at the rule, its role and its keys, then copy it by "gorgen-backup verify --repair" or S3 Batch Replication.',
  },
  'dead-letters': {
    'pt-BR':
      'A AWS desistiu de um evento depois das tentativas: algo agendado não foi feito. Os backups que existem estão como estavam. Hoje: leia o evento e o motivo na fila de mensagens mortas (console da AWS, SQS), inicie a função à mão e esvazie a fila.',
    en: 'An event was given up after its retries: something that was scheduled was not done. Backups that exist are as they were. Today: read the event and the reason in the queue of dead letters (AWS console, SQS), start the function by hand, and empty the queue.',
  },
  'replica-late': {
    'pt-BR':
      'A cópia na segunda região está mais de uma hora atrasada. Se esta região se perdesse agora, os backups mais novos se perderiam. Hoje: veja a regra de replicação do balde (console da AWS, S3, Management) e AWS Health.',
    en: 'The copy in the second region is more than an hour behind. Were the first region lost now, the newest backups would be lost. Today: look at the bucket\'s replication rule (AWS console, S3, Management) and at AWS Health.',
  },
  'replica-behind': {
    'pt-BR':
      'Há duas horas objetos esperam pela cópia na segunda região. Os backups estão inteiros na primeira. Hoje: veja a regra de replicação, a função (role) e as chaves dela; "gorgen-backup verify --repair" copia o que falta.',
    en: 'Objects have been waiting for their copy in the second region for two hours. The backups are whole in the first. Today: look at the replication rule, its role and its keys; "gorgen-backup verify --repair" copies what is missing.',
  },
} satisfies Record<string, Text>;

/** The names of alarms that are of no one function. */
export type AlarmName = keyof typeof ALARMS;
export const ALARM_NAMES = Object.keys(ALARMS) as AlarmName[];

/** What an alarm says. */
export function alarmText(language: Language, name: AlarmName): string {
  return ALARMS[name][language];
}

/** What an alarm of a job or a function says. */
export function functionAlarmText(
  language: Language,
  kind: keyof typeof FUNCTION_ALARMS,
  name: FunctionName | Job,
  functionName: string,
): string {
  return FUNCTION_ALARMS[kind][language](JOB_NAMES[name][language], UNDONE[name][language], functionName);
}
