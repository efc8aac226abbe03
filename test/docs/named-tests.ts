import { join } from 'node:path';
import { Project, SyntaxKind } from 'ts-morph';
import { root } from '../support/build.ts';

/** Those of `test/x.test.ts` and `test/x.test.ts "name of a test"` in backticks and quotes that do not exist. Fails when the text names none. */
export function missingTests(text: string): readonly string[] {
  const project = new Project({ skipAddingFilesFromTsConfig: true });
  const named = [...text.matchAll(/`(test\/[^`]+)`(?: "([^"]+)")?/g)];
  if (named.length === 0) throw new Error('no test is named');
  const missing = named.filter(([, file = '', title]) => {
    const source = project.addSourceFileAtPathIfExists(join(root, file));
    const titles = source ? [SyntaxKind.StringLiteral, SyntaxKind.NoSubstitutionTemplateLiteral].flatMap((kind) => source.getDescendantsOfKind(kind)) : [];
    return !titles.some((literal) => 'getLiteralValue' in literal && literal.getLiteralValue() === title);
  });
  return missing.map(([reference]) => reference);
}

/** Those of the diagnostic codes in backticks that nothing in `src` can say. */
export function missingCodes(text: string): readonly string[] {
  const project = new Project({ skipAddingFilesFromTsConfig: true });
  const sources = project.addSourceFilesAtPaths(join(root, 'src/**/*.ts')).map((file) => file.getFullText());
  return [...text.matchAll(/`(SAR\d+)`/g)].flatMap(([, code = '']) => (sources.some((source) => source.includes(`'${code}'`)) ? [] : [code]));
}
