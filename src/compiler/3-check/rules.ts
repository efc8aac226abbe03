import type { Rule } from './rule.ts';
import { brokenNames } from './rules/broken-names.ts';
import { carriedAndInterleaved, carriedUnknown, nothingToCarryTo } from './rules/carry.ts';
import { conflictRuleMissing, preferredDatabases } from './rules/conflict-rule.ts';
import { counterPlace, counterType, counterUnknown } from './rules/counter-columns.ts';
import { copyReferences } from './rules/copy-references.ts';
import { copySwap } from './rules/copy-swap.ts';
import { cycle } from './rules/cycle.ts';
import { differentKeys } from './rules/different-keys.ts';
import { differentTriggers } from './rules/different-triggers.ts';
import { differentTruncate } from './rules/different-truncate.ts';
import { emptySync } from './rules/empty-sync.ts';
import { encodings, narrowEncoding } from './rules/encodings.ts';
import { environmentDatabases, environmentNumbers } from './rules/environments.ts';
import { firingTriggers } from './rules/firing-triggers.ts';
import { fullCopySettings } from './rules/full-copy-settings.ts';
import { keptUnique } from './rules/kept-unique.ts';
import { keyFolding } from './rules/key-folding.ts';
import { keyDoesNotFlow, noUniqueIndexOnTarget } from './rules/key-on-target.ts';
import { sequenceInTwoSyncs, sequencesUnknown, tooFewSlots } from './rules/interleave.ts';
import { clockKeys, collidingSequences } from './rules/key-values.ts';
import { looseExpressions } from './rules/loose-expressions.ts';
import { maskedColumns } from './rules/mask.ts';
import { memberTableMissing } from './rules/member-tables.ts';
import { members } from './rules/members.ts';
import { memberColumnsDiffer, memberKeysDiffer } from './rules/members-differ.ts';
import { differentCounters, mergeInHierarchy, mergesNothing, otherwiseMissing } from './rules/merge-rule.ts';
import { namesCollide } from './rules/names-collide.ts';
import { notPulled } from './rules/not-pulled.ts';
import { oldLock } from './rules/old-lock.ts';
import { oneWaySettings } from './rules/one-way-settings.ts';
import { outsideReferences } from './rules/outside-references.ts';
import { relayKey } from './rules/relay-key.ts';
import { reservedNames } from './rules/reserved-names.ts';
import { ring } from './rules/ring.ts';
import { sharedVariable } from './rules/shared-variable.ts';
import { sourceIsTarget } from './rules/source-is-target.ts';
import { nullIntoNotNull, targetColumnMissing, targetColumnUnfilled } from './rules/target-columns.ts';
import { targetTableMissing, targetTableUnfit } from './rules/target-table.ts';
import { targetTwice } from './rules/target-twice.ts';
import { twoIntoOne } from './rules/two-into-one.ts';
import { typesDiffer } from './rules/types-differ.ts';
import { unfitPartition } from './rules/unfit-partition.ts';
import { keyWithoutEquality, localMeaning, typeWithoutInput } from './rules/unfit-types.ts';
import { exclusionClash, uniqueClash, uniqueUnseen } from './rules/unique-clash.ts';
import { uniqueOnTargetOnly } from './rules/unique-on-target.ts';
import { unknownDatabase } from './rules/unknown-database.ts';

/** Every rule, by code. */
export const RULES: readonly Rule[] = [
  unknownDatabase,
  sourceIsTarget,
  emptySync,
  sharedVariable,
  targetTwice,
  notPulled,
  twoIntoOne,
  differentKeys,
  differentTriggers,
  targetTableMissing,
  targetColumnMissing,
  targetColumnUnfilled,
  keyDoesNotFlow,
  noUniqueIndexOnTarget,
  typesDiffer,
  cycle,
  ring,
  encodings,
  namesCollide,
  targetTableUnfit,
  nullIntoNotNull,
  unfitPartition,
  reservedNames,
  relayKey,
  brokenNames,
  looseExpressions,
  typeWithoutInput,
  localMeaning,
  keyWithoutEquality,
  keyFolding,
  narrowEncoding,
  uniqueOnTargetOnly,
  members,
  oneWaySettings,
  conflictRuleMissing,
  preferredDatabases,
  memberTableMissing,
  memberColumnsDiffer,
  memberKeysDiffer,
  tooFewSlots,
  uniqueClash,
  outsideReferences,
  collidingSequences,
  firingTriggers,
  clockKeys,
  exclusionClash,
  uniqueUnseen,
  differentTruncate,
  copyReferences,
  copySwap,
  counterUnknown,
  counterType,
  counterPlace,
  otherwiseMissing,
  mergesNothing,
  mergeInHierarchy,
  differentCounters,
  oldLock,
  nothingToCarryTo,
  carriedUnknown,
  carriedAndInterleaved,
  maskedColumns,
  sequencesUnknown,
  sequenceInTwoSyncs,
  fullCopySettings,
  keptUnique,
  environmentDatabases,
  environmentNumbers,
];
