/** Environment variables of connection strings, as the workflow gets them from secrets. */
type Variables = readonly string[];

/** `.github/workflows/replication.yml`: check without secrets, plan as a comment, apply what that approved, drift at night. */
export function githubWorkflow(variables: Variables): string {
  return [GITHUB_HEAD + GITHUB_CHECK, githubPlan(variables), githubApply(variables), githubDrift(variables)].join('\n');
}

/** Lines of the environment of a job. */
function secretsOf(variables: Variables): string {
  return variables.map((name) => `      ${name}: \${{ secrets.${name} }}`).join('\n');
}

const SETUP = [
  '      - uses: actions/checkout@v4',
  '      - uses: actions/setup-node@v4',
  '        with: { node-version: 22, cache: npm }',
  '      - run: npm ci',
].join('\n');

const GITHUB_HEAD = `# Replication by sarrio. Jobs that hold secrets read generated/ only; the config is executed by the job check, which has none.
name: replication
on:
  pull_request:
  push:
    branches: [main]
  schedule:
    - cron: '17 3 * * *'
permissions:
  contents: read
env:
  ENVIRONMENT: production
jobs:
`;

const GITHUB_CHECK = `  check:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    steps:
${SETUP}
      - name: the config is right, and generated/ is what it says
        run: npx sarrio check --format github
`;

function githubPlan(variables: Variables): string {
  return `  plan:
    # A fork gets no secrets, and so no plan.
    if: github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pull-requests: write
    env:
${secretsOf(variables)}
    steps:
${SETUP}
      - name: plan
        run: |
          npx sarrio plan --format markdown --environment "$ENVIRONMENT" --out change-plan.json > plan.md
          cat plan.md >> "$GITHUB_STEP_SUMMARY"
      - uses: actions/upload-artifact@v4
        with: { name: change-plan, path: change-plan.json }
      - name: comment
        env:
          GH_TOKEN: \${{ github.token }}
          PULL_REQUEST: \${{ github.event.pull_request.number }}
        run: |
          id=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" \\
            --jq '.[] | select(.user.login == "github-actions[bot]" and (.body | startswith("<!-- sarrio-plan "))) | .id' | tail -n 1)
          if [ -n "$id" ]; then
            gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F body=@plan.md > /dev/null
          else
            gh api --method POST "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" -F body=@plan.md > /dev/null
          fi
      - name: hazards are approved
        run: |
          code=0
          npx sarrio plan --exit-code > /dev/null || code=$?
          if [ "$code" -ne 2 ]; then exit "$code"; fi
`;
}

function githubApply(variables: Variables): string {
  return `  apply:
    if: github.event_name == 'push'
    runs-on: ubuntu-latest
    environment: production
    concurrency: { group: sarrio-apply, cancel-in-progress: false }
    permissions:
      contents: read
      pull-requests: read
    env:
${secretsOf(variables)}
    steps:
${SETUP}
      - name: what the pull request approved
        env:
          GH_TOKEN: \${{ github.token }}
        run: |
          number=$(gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" --jq '.[0].number')
          gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments" \\
            --jq '.[] | select(.user.login == "github-actions[bot]" and (.body | startswith("<!-- sarrio-plan "))) | .body' > approved.md
      - name: apply
        run: npx sarrio apply --plan approved.md --format ndjson
`;
}

function githubDrift(variables: Variables): string {
  return `  drift:
    if: github.event_name == 'schedule'
    runs-on: ubuntu-latest
    env:
${secretsOf(variables)}
    steps:
${SETUP}
      - name: drift
        run: npx sarrio diff --only drift,skew,foreign
`;
}

/** `.gitlab-ci.yml`, the same for GitLab. Connection strings are masked, protected variables of the project. */
export function gitlabPipeline(variables: Variables): string {
  return `# Replication by sarrio. Jobs that hold secrets read generated/ only; the config is executed by the job check, which needs none.
# Variables of the project: ${variables.join(', ')} (masked), and SARRIO_COMMENT_TOKEN, a token with the scope api.
image: node:22
variables:
  ENVIRONMENT: production
stages: [check, plan, apply]
before_script:
  - npm ci

check:
  stage: check
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  script:
    - npx sarrio check --output gitlab=gl-code-quality-report.json
  artifacts:
    when: always
    reports: { codequality: gl-code-quality-report.json }

plan:
  stage: plan
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID
  script:
    - npx sarrio plan --format markdown --environment "$ENVIRONMENT" --out change-plan.json > plan.md
    - |
      curl --fail --silent --show-error --header "PRIVATE-TOKEN: $SARRIO_COMMENT_TOKEN" --data-urlencode body@plan.md \\
        "$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes" > /dev/null
    - |
      code=0
      npx sarrio plan --exit-code > /dev/null || code=$?
      if [ "$code" -ne 2 ]; then exit "$code"; fi
  artifacts:
    paths: [change-plan.json, plan.md]

apply:
  stage: apply
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE == "push"
      when: manual
  resource_group: sarrio-apply
  # Started by hand, with CHANGE_PLAN set to the id that the merge request's comment shows.
  script:
    - test -n "$CHANGE_PLAN" || { echo "set CHANGE_PLAN to the id of the approved change plan" >&2; exit 4; }
    - npx sarrio apply --expect "$CHANGE_PLAN" --format ndjson

drift:
  stage: check
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  script:
    - npx sarrio diff --only drift,skew,foreign
`;
}
