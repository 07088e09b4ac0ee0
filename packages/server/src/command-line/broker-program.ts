import { doctorCommand } from '../doctor/doctor-command.ts'
import { explainCommand } from '../explain/explain-command.ts'
import { tokenCommand } from '../token/token-command.ts'
import { helpOption, type ProgramDescription } from './command-description.ts'
import { completionCommand } from './completion/completion-command.ts'

/** The description of the command `dex-token-broker`. */
export const brokerProgram = {
  name: 'dex-token-broker',
  introduction: [
    "Answers Envoy's ext_authz checks with Dex access tokens. Environment variables hold the configuration, and the file that CONFIG_FILE names holds what needs more: issuers, clients and rules. Files are read again when they change, and at SIGHUP. SIGUSR2 sets the log to DEBUG for ten minutes.",
  ],
  options: {
    ...helpOption,
    version: { type: 'boolean', short: 'v', text: 'print the version' },
    'check-config': {
      type: 'boolean',
      text: 'validate the configuration and print it with secrets masked, without starting anything',
    },
  },
  commands: [tokenCommand, doctorCommand, explainCommand, completionCommand],
} as const satisfies ProgramDescription
