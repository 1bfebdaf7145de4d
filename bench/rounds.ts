import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds between two turns, in which servers finish what a turn left behind. */
const pauseMs = 300

/** Lets every side have its turn in each round (A B A B ...), after a turn that is not counted. */
export async function interleave<Side, Turn> (sides: readonly Side[], rounds: number, turn: (side: Side, counted: boolean) => Promise<Turn>): Promise<Turn[][]> {
  const results: Turn[][] = sides.map(() => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [index, side] of sides.entries()) {
      await delay(pauseMs)
      const result = await turn(side, round > 0)
      if (round > 0) results[index]?.push(result)
    }
  }
  return results
}
