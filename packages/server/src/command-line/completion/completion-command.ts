import { type CommandDescription, helpOption } from '../command-description.ts'

/** The description of the command `completion`. */
export const completionCommand = {
  name: 'completion',
  summary: 'print a script that completes commands and options in a shell',
  introduction: ['Prints the script for a shell to standard output.'],
  argument: { name: 'SHELL', choices: ['bash', 'zsh', 'fish'] },
  options: helpOption,
  notes: [
    `bash: eval "$(dex-token-broker completion bash)" in ~/.bashrc
zsh:  eval "$(dex-token-broker completion zsh)" in ~/.zshrc, below compinit
fish: dex-token-broker completion fish | source in ~/.config/fish/config.fish`,
  ],
} as const satisfies CommandDescription
