export const replication = { databases: {}, syncs: {} };
