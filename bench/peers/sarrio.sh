# Sarrio as one peer of a harness in bash, which sources this file and calls install, pause, resume, wait_caught_up and teardown.
# The harness gives: $RUN (a folder of the run), $SRC_PORT, $DST_PORT, $SRC_DB, $DST_DB, table_names, wait_caught_up_default.
PROC_RE='node .*/dist/cli\.js run'
SARRIO_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ -f "$SARRIO_ROOT/dist/cli.js" ] || (cd "$SARRIO_ROOT" && npm run --silent build)

sarrio() {
  ( cd "$RUN" && env -u PGOPTIONS SOURCE_URL="postgres://postgres@127.0.0.1:$SRC_PORT/$SRC_DB" TARGET_URL="postgres://postgres@127.0.0.1:$DST_PORT/$DST_DB" \
      node "$SARRIO_ROOT/dist/cli.js" "$@" >>"$RUN/sarrio.out" 2>&1 )
}

CAN_MULTI=1

sarrio_config() { # nocopy | copy | multi
  local tables sync; tables=$(table_names | sed "s/.*/'public.&'/" | paste -sd,)
  sync="mode: 'one-way', source: 'source', targets: ['target'], tables: [$tables], existingRows: 'replace'"
  [ "$1" = multi ] && sync="mode: 'multi-master', members: ['source', 'target'], tables: [$tables], existingRows: 'keep', onConflict: 'last-update-wins'"
  cat <<CONFIG
import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { source: env('SOURCE_URL'), target: env('TARGET_URL') },
  syncs: { bench: { $sync } },
});
CONFIG
}

sarrio_fails() { cat "$RUN/sarrio.out" >&2; return 1; }

install() { # nocopy | copy | multi
  sarrio_config "$1" >"$RUN/replication.config.ts"
  local verb; for verb in pull compile apply; do sarrio "$verb" || { sarrio_fails; return 1; }; done
  if [ "$1" != copy ]; then sarrio run --until-caught-up || { sarrio_fails; return 1; }; fi
  COPY_T0=$(now)
  resume
}

# Started as the only command of the subshell, so that $! is the runner itself.
resume() {
  ( cd "$RUN" && exec env -u PGOPTIONS SOURCE_URL="postgres://postgres@127.0.0.1:$SRC_PORT/$SRC_DB" TARGET_URL="postgres://postgres@127.0.0.1:$DST_PORT/$DST_DB" \
      node "$SARRIO_ROOT/dist/cli.js" run >>"$RUN/sarrio.out" 2>&1 ) &
  SARRIO_PID=$!
}
pause() { kill -TERM "$SARRIO_PID"; wait "$SARRIO_PID"; return 0; }
wait_caught_up() { wait_caught_up_default; }
teardown() { pause 2>/dev/null; sarrio destroy --confirm sarrio || sarrio_fails; }
