import { Option } from 'commander';
import { loadGenerated } from '../plan/generated-files.ts';
import { topologyOf } from '../plan/topology.ts';
import { mermaid } from '../plan/topology-file.ts';
import { generatedDir } from './change-options.ts';
import { topologySvg } from './graph-svg.ts';
import type { Verb } from './verb.ts';

/** `sarrio graph`: who sends rows to whom, as a drawing. Contacts no database. */
export const verb: Verb = {
  configure: (command) => void command.addOption(new Option('--format <format>', 'how it is drawn').choices(['mermaid', 'svg', 'json']).default('mermaid')),
  run: async (options, context) => {
    const { plan } = await loadGenerated(generatedDir(options, context));
    const topology = topologyOf(plan);
    return { exit: 'ok', data: topology, diagnostics: [], text: options['format'] === 'svg' ? topologySvg(topology) : mermaid(topology) };
  },
};
