import type { Explanation } from '../../explain/explanation.ts';
import type { Diagnostic } from '../../plan/diagnostic.ts';
import { allExplanations } from '../all-explanations.ts';

/** Diagnostics as SARIF 2.1.0, which code scanning and editors read: one run, with the explanations of the codes that it has. */
export function sarifLog(options: { diagnostics: readonly Diagnostic[]; version: string }): string {
  const { diagnostics, version } = options;
  const codes = [...new Set(diagnostics.map(({ code }) => code))].sort();
  const explanations = new Map(allExplanations().map((each) => [each.code, each]));
  const rules = codes.map((code) => ruleOf(code, explanations.get(code)));
  const driver = { name: 'sarrio', version, rules };
  const results = diagnostics.map((diagnostic) => resultOf(diagnostic, codes.indexOf(diagnostic.code)));
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf(code: string, explanation: Explanation | undefined) {
  if (!explanation) return { id: code };
  const { summary, explanation: reason, example, cure } = explanation;
  return {
    id: code,
    shortDescription: { text: summary },
    fullDescription: { text: reason },
    help: { text: `${reason}\n\nFor example: ${example}\n\nWhat to do: ${cure}` },
  };
}

function resultOf({ code, severity, message, hint, span, where }: Diagnostic, ruleIndex: number) {
  const text = hint === null ? message : `${message}\n${hint}`;
  const level = severity;
  return { ruleId: code, ruleIndex, level, message: { text }, locations: [...(span ? [physical(span)] : []), ...(where ? [logical(where)] : [])] };
}

function physical({ file, line, column, endColumn }: NonNullable<Diagnostic['span']>) {
  const region = { startLine: line, startColumn: column, ...(endColumn === undefined ? {} : { endColumn }) };
  return { physicalLocation: { artifactLocation: { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' }, region } };
}

function logical(where: string) {
  return { logicalLocations: [{ fullyQualifiedName: where }] };
}
