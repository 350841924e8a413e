"""A fuzzer: small edits of realistic programs, each run plainly and under ddsimport.

Nobody may be able to tell the two runs apart, and no step may be evaluated that ran nothing the
edit touched. `python -m benchmarks.fuzz --help`.

| room | what it is for |
|---|---|
| `programs/` | the programs, ordinary files |
| `mutations`, `edits`, `insertions` | their edits; mutant k of a seed is always the same |
| `forks`, `runs` | one run of a program, and what it showed |
| `observed`, `wrapping`, `reads`, `fingerprints` | what each step of the plain run took and ran |
| `verdicts` | what two runs tell: differences, and which steps had to be evaluated |
| `trial` | a program with its warm stores, mutant by mutant |
| `worker`, `campaign` | many mutants, in worker processes |
| `cases`, `minimise`, `found/` | what failed, made small and kept |
| `summary` | what is said of a campaign |
"""
