import { parentPort } from 'node:worker_threads'
import type { EstimationQuestion } from './estimation.ts'
import { judge } from './judge.ts'

// The thread that start-thread.ts starts.
parentPort?.on('message', (question: EstimationQuestion) => { parentPort?.postMessage(judge(question)) })
