import type { Node } from 'ts-morph';

/** What is wrong with a handler, before it is said where its file is. */
export type HandlerFault = { readonly code: HandlerCode; readonly message: string; readonly hint: string | null; readonly node: Node };

/** The diagnostics of handlers. All of them are errors, at the word that is at fault. */
export type HandlerCode = 'SAR280' | 'SAR281' | 'SAR282' | 'SAR283' | 'SAR284' | 'SAR285' | 'SAR286' | 'SAR287' | 'SAR288' | 'SAR289';
