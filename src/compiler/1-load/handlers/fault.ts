import type { Node } from 'ts-morph';

/** What is wrong with a handler, before it is said where its file is. */
export type HandlerFault = { readonly code: HandlerCode; readonly message: string; readonly hint: string | null; readonly node: Node };

/** The diagnostics of handlers. All of them are errors, at the word that is at fault. */
export type HandlerCode = 'SAR260' | 'SAR261' | 'SAR262' | 'SAR263' | 'SAR264' | 'SAR265' | 'SAR266' | 'SAR267' | 'SAR268' | 'SAR269';
