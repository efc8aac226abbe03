import { type LiveCheck, liveFault } from '../inspection.ts';

/** One database holds the objects of one project; two would overwrite each other's. */
export const otherProject: LiveCheck = {
  code: 'SAR416',
  summary: 'schema sarrio belongs to this project',
  run: ({ plan, database, inspection }) => {
    const others = [...new Set(inspection.live.installed.map(({ project }) => project))].filter((project) => project !== plan.project);
    return others.map((project) =>
      liveFault({
        code: 'SAR416',
        database,
        message: `schema sarrio belongs to project '${project}', not to '${plan.project}'`,
        hint: `Use another database, give both configs the same project, or remove the other one with its own \`sarrio destroy --confirm ${project}\`.`,
      }),
    );
  },
};
