import type { PlanStep } from './contract.ts';

const marks = { pending: ' ', in_progress: '~', completed: 'x', failed: '!' } as const;
const states: Record<string, PlanStep['status']> = { '~': 'in_progress', x: 'completed', '!': 'failed' };

/** Steps as a Markdown list, a line each, with a box for their state. */
export function planText(steps: PlanStep[]): string {
  return steps.map(({ step, status }) => `- [${marks[status]}] ${step.replace(/\s+/g, ' ')}\n`).join('');
}

/** The steps that a list holds, with boxes or without; other lines are no steps. */
export function parsePlan(text: string): PlanStep[] {
  return [...text.matchAll(/^[ \t]*[-*][ \t]+(?:\[(.)\][ \t]+)?(\S.*?)[ \t]*\r?$/gm)].map(
    ([, mark = '', step = '']) => ({
      step,
      status: states[mark] ?? 'pending',
    }),
  );
}
