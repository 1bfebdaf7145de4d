#!/usr/bin/env node
import { exitCodes } from './cli/exit.ts'
import { tidyUp } from './cli/interruption.ts'
import { runCommand } from './cli/program.ts'
import { processSurroundings } from './cli/surroundings.ts'

// A reader that goes away early, such as head, is no failure.
process.stdout.on('error', async (error: NodeJS.ErrnoException) => {
  await tidyUp()
  if (error.code === 'EPIPE') process.exit(exitCodes.done)
  process.stderr.write(`The result cannot be written: ${error.message}\n`)
  process.exit(exitCodes.failed)
})

const exitCode = await runCommand(process.argv.slice(2), processSurroundings)
// The service ends by itself later, with a code of its own.
if (exitCode !== exitCodes.done) process.exitCode = exitCode
