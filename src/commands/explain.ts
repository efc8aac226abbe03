import { diagnosticsDocument } from '../explain/document.ts';
import type { Explanation } from '../explain/explanation.ts';
import { failure } from '../plan/errors.ts';
import { allExplanations } from './all-explanations.ts';
import type { Verb } from './verb.ts';

/** `sarrio explain SAR201`: what a code means, an example, and what to do. Reads nothing and contacts nobody. */
export const verb: Verb = {
  configure: (command) =>
    void command.argument('[code]', 'such as SAR201; without it all codes are listed').option('--markdown', 'all explanations as one document'),
  run: async (options) => {
    const explanations = allExplanations();
    const wanted = options['code'];
    if (typeof wanted !== 'string') {
      const list = explanations.map(({ code, summary }) => `${code}  ${summary}`).join('\n');
      const text = options['markdown'] === true ? diagnosticsDocument(explanations) : list;
      return { exit: 'ok', data: { explanations }, diagnostics: [], text };
    }
    const code = wanted.toUpperCase().replace(/^(\d)/, 'SAR$1');
    const found = explanations.find((each) => each.code === code);
    if (found) return { exit: 'ok', data: found, diagnostics: [], text: explanationText(found) };
    throw failure('invalid', { code: 'SAR003', message: `there is no diagnostic ${wanted}`, hint: 'Run sarrio explain without a code for all of them.' });
  },
};

function explanationText({ code, summary, explanation, example, cure }: Explanation): string {
  return [`${code}: ${summary}`, '', explanation, '', 'For example:', `  ${example}`, '', 'What to do:', `  ${cure}`].join('\n');
}
