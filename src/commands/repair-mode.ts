/** What the verb may do to the differences: nothing, say what it would write, or write it. */
export type RepairMode = 'none' | 'planned' | 'written';
