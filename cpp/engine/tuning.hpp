// What trades speed, recall, memory or time of building, and could be another number: in one place, with its
// source. What a file holds, what a kernel or a cache takes at once, and what mathematics asks for stands
// where it is used; tests/test_tuning_law.py keeps it so.
//
// A constant of which nothing else is said was chosen, not measured. A measurement is named by its heading in
// docs/, and a command by one word:
//
// - promise: `python benchmarks/promise.py --part tuning --rows 12000 --queries 1500`, whether recall holds
// - cliffs: `python benchmarks/cliffs.py`, how many rows a search looks at
// - bench: `lookalike bench data/glove.hdf5 data/sift.hdf5 data/cnn.hdf5`, recall against queries/s
// - turns: `python benchmarks/turns.py OLD/bin/python NEW/bin/python data/glove.hdf5`, time of two builds
// - sealing: `turns.py` with `--sealing --made 60000x96 10000x4096`, their time and memory when they seal
// - filters, fresh, exact, beside: `python benchmarks/filters.py data/sift.hdf5`, and so on
//
// They repeat what is named, and tell what another number changes. For most numbers no run is kept.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace lookalike::tuning {

// ---- Buckets and k-means
// Commands: bench; sealing for what training takes. Twice the buckets were measured, 6 to 8 % slower on SIFT
// (docs/tried.md, "What each trick brings").

/// Rows of a bucket, where rows are few: blocks of 32 are full.
inline constexpr double kRowsPerBucket = 100.0;
/// Times √rows: buckets at most, which keeps training near n·√n. That is from 640,000 rows on.
inline constexpr double kBucketsPerRoot = 8.0;
/// There are √(this × buckets) groups. With a half or a quarter as many a query finds fewer of the nearest
/// buckets in the same time (a comment of the first version; no run is kept).
inline constexpr double kGroupsSquaredPerBucket = 8.0;
/// Rows that stand for a bucket when centres are learned, for a group when it is asked whether 4 bits are
/// enough for them, and for all when a middle is looked for.
inline constexpr std::size_t kSampledRows = 64;
/// Sampled rows at least, and of these for each group.
inline constexpr std::size_t kLeastSample = 16384, kSamplePerGroup = 256;
/// Buckets of one group at most, times the mean: else the k-means of a group of copies takes longest.
inline constexpr std::size_t kLargestGroup = 4;
/// Rounds of k-means at most: further ones move the centres by little.
inline constexpr int kKMeansRounds = 8;
/// Groups whose buckets a row is compared with: more would find 1 % of all rows a centre nearer by a hair (a
/// comment of the first version; no run is kept).
inline constexpr std::size_t kGroupsOfRow = 10;
/// Groups that a query looks into: so many, and as many more as hold so many times the buckets it wants.
inline constexpr std::size_t kGroupsOfQuery = 24, kCover = 2;
/// What rounding of centres may add to the mean squared distance of their rows; else they get 8 bits, not 4.
/// It adds 0.2 to 1.6 % on three sets, 43 % to small clusters far apart (docs/tried.md, "What each trick
/// brings").
inline constexpr double kMovedByRounding = 1.0 / 32.0;
/// Of hyperplanes and cross-polytopes. Rows for each code: those codes that rows have hold about 100 then.
/// Tables: more meet again what one has met; on 321,000 word vectors 2 and 4 took longer at every recall (a
/// comment of the first version; command: bench).
inline constexpr std::size_t kRowsPerCode = 64;
inline constexpr unsigned kCodedTables = 1;

// ---- Projection
// Halko, Martinsson & Tropp, SIAM Review 2011. Commands: bench with data/cnn.hdf5; sealing (10,000 × 4,096
// takes 3.1 s of processor time for axes, before there were fewer rows and first axes 7.1: CHANGELOG.md).

/// Dimensions from which on principal axes are learned: below, a dense matrix costs more than shorter
/// sketches save, and a rotation loses nothing.
inline constexpr std::size_t kLeastDimForAxes = 321;
/// Axes: at least, at most (without as many sampled rows there are none), and in steps of. One step more than
/// the least are looked for at first, which makes those better.
inline constexpr std::size_t kLeastAxes = 128, kMostAxes = 512, kAxesStep = 64;
/// Share of a sample's energy that axes must hold. On 26,000 × 1280 features of a convolutional network this
/// means 256 axes: 99 % of the 10 nearest are among the 92 best estimates; more axes cost a scan more than
/// they save in reranking.
inline constexpr double kEnoughEnergy = 0.75;
/// Sampled rows that axes are learned from at most: as many as take so many products, a second, or so many if
/// that is more. One in so many measures, the others teach.
inline constexpr double kProductsForAxes = 3e10;
inline constexpr std::size_t kEnoughRowsForAxes = 4096, kMeasuringOneIn = 8;
/// Rounds of the power iteration.
inline constexpr int kAxesRounds = 4;

// ---- Costs
// In nanoseconds of one machine, of which no run is kept; only their ratios count. Commands: cliffs and
// filters, which show where a search turns to comparing.

/// A bucket by itself, each of its entries, and each group of dimensions of its sketch.
inline constexpr double kCostOfBucket = 30.0, kCostOfEntry = 0.2, kCostOfSketchGroup = 0.02;
/// A row: a candidate, one that is read in turn, and one that is picked.
inline constexpr double kCostOfCandidate = 14.0, kCostOfRow = 1.0, kCostOfPickedRow = 10.0;
/// A byte of these; of a row that is picked twice as much.
inline constexpr double kCostOfByte = 0.025;
/// A product of a dimension of a row and of a query, where many are compared with many: 66e9 a second on a
/// core of an EPYC (Zen 4), which is all that it multiplies.
inline constexpr double kCostOfPackedProduct = 1.0 / 66.0;
/// Of rows compared one by one, each that is among the nearest for a while; not measured since more than
/// kMostInHeap are kept otherwise.
inline constexpr double kCostOfKeptRow = 70.0;
/// How many times as dear as foretold buckets are of which a share may be found, beside comparing one by one;
/// and the candidates that are left then, of those foretold: this × √share. Measured with filters of 0.5 % to
/// 50 % on 20,000 to 100,000 rows × 16 to 600, one query at a time and many: buckets took 1.0 to 5 times as
/// long as foretold, comparing 0.3 to 0.9 times (docs/tried.md, "Where a filter turns to comparing").
inline constexpr double kDearerOfSome = 5.0, kCandidatesByShare = 1.5;
/// Comparing with all may cost so much, some 20 ms of a core, where too little is known for the recall that
/// is asked for; else less is said.
inline constexpr double kMostToCompare = 5e6;
/// Rows are picked where no more than one in so many may be found, else read in turn.
inline constexpr std::size_t kPickedOneIn = 8;

// ---- Sketches
// Command: bench; docs/tried.md, "How many bits a sketch should have".

/// A finer sketch takes more memory: it must cost no more than this share, which is beyond a trial's error.
/// With 0.95 one of two indexes of the same 10,000 vectors chose it, the other did not
/// (tests/index/test_copies.py).
inline constexpr double kWorthFinerSketches = 0.93;
/// The trial: held-out rows at most, neighbours, recalls, and what a query costs with any sketch (Costs).
inline constexpr std::size_t kQueriesForSketches = 512, kNeighboursForSketches = 10;
inline constexpr std::array kRecallsForSketches = {0.9, 0.95, 0.99};
inline constexpr double kCostOfQuery = 6000.0;

// ---- Measuring when sealing: with which queries
// Fewer of them take less time: docs/performance.md, "Since then: by predicted hits", has that of sealing.
// Commands: sealing, and promise, by which less may hold with fewer.

/// Held-out rows: one in so many of all, up to so many; down to half as many where exact distances of all
/// would take more than so many products, a few seconds. No more queries are measured for `probes=`.
inline constexpr std::size_t kHeldOutOneIn = 5, kMostHeldOut = 1000;
inline constexpr double kProductsForHeldOut = 2e11;
/// Queries at most: of a kind; rows without their relatives; each kind that is made (docs/tried.md, "What a
/// query does on its way").
inline constexpr std::size_t kQueriesMeasured = 512, kQueriesAlone = 320, kQueriesUnlike = 320;
/// So many queries tell what a kind finds; half as many where each has more than 100 neighbours.
inline constexpr std::size_t kEnoughQueries = 24;
/// To find a query's neighbours by sketches may cost this share of comparing all in a block; else that is
/// done.
inline constexpr double kTriedBySketches = 0.25;
/// k is measured up to one in so many rows: beyond, comparing all takes a few times as long at most.
inline constexpr std::size_t kDeepOneIn = 10;
/// And taken to be found alike up to so many times the most that was measured, where less and less is left.
inline constexpr double kBeyondMeasured = 10.0;
/// So many rows tell how many candidates there are.
inline constexpr std::size_t kQueriesWithCandidates = 96;
/// Of many neighbours, candidates or blocks so many stand for all.
inline constexpr std::size_t kCountedOfMany = 1000;
/// A row is without its relatives if, of neighbours within this share of the farthest's square, each is left
/// with the probability (its square / that)^power. Where k is 1, rows asked for .80 found .96 while
/// relatives were cut out, then .88 (docs/tried.md, "Queries unlike all that is stored").
inline constexpr double kRelativeWithin = 0.5, kRelativePower = 4.0;
/// Share of the coordinates, or of the bits, that a made query keeps, or turns.
inline constexpr double kShareMade = 0.1;

// ---- Measuring when sealing: hits and estimates
// Command: promise; docs/engine.md, "How far a query goes"; docs/tried.md, "Queries unlike all that is
// stored".

/// Courses that hits are learned from: of rows, which tell what is usual, too; of rows without their
/// relatives; of each other kind.
inline constexpr std::array<std::size_t, 3> kCoursesLearned = {256, 128, 72};
/// Buckets of a course: at most, and put in order at first, also by a search for more than 100 neighbours
/// (docs/tried.md, "Where counting and searching went apart").
inline constexpr std::size_t kFarthestBucket = 4096, kOrderedAtFirst = 64, kManyOrderedAtFirst = 512;
/// Standard errors beyond e: what is estimated within is kept of a course.
inline constexpr float kErrorsOfCourse = 10.0F;
/// Of a course's buckets the nearest teach, behind these one in few up to the farther, then one in many; and
/// all that have hits.
inline constexpr std::size_t kNearBuckets = 24, kFartherBuckets = 128, kOneInFew = 4, kOneInMany = 32;
/// A bucket is no narrower than this share of the mean.
inline constexpr double kNarrowestBucket = 1e-4;
/// The variance of the logarithm by which the hits that are expected err, and what was met divides them by no
/// more. Of a query like none that were learned from they may be 10^12 times too few: while no more was made
/// good than a factor of 3, such queries found .57 and were told .95 (docs/tried.md, "Hits far from what was
/// learned"; command: promise).
inline constexpr float kModelErrs = 1.0F, kMostDivided = 3.0F;
/// Of the factor F of sketches: an estimate's standard error; and how many times the median one counts.
inline constexpr float kErrorPerFactor = 0.6F, kMostOfFactor = 64.0F;
/// The error is set so that this share of the neighbours is missed where it should be.
inline constexpr float kMissedForError = 0.05F;
/// How crowded it is, is counted in rows within an error; of these so much is added, as one says little.
inline constexpr float kPartOfRow = 0.3F;

// ---- Operating points
// Sources and commands as above.

/// The share of hits that may be left: powers of 2, so many octaves of so many steps. And of the share that
/// candidates may miss, so many steps of an octave at first, then of some octaves each: of Gaussian errors
/// nobody would miss so little, but those of clusters with heavy tails have tails, too (docs/tried.md,
/// "Recall near 1"; command: cliffs --only recall).
inline constexpr int kOctavesLeft = 20, kLeftPerOctave = 4;
inline constexpr float kMissedPerOctave = 1.6F, kCoarseMissed = 3.0F;
inline constexpr std::size_t kFineMissed = 23;
/// For these recalls choices are made; between them a budget is interpolated.
inline constexpr std::array kRecallsChosen = {0.3,   0.5,   0.6,   0.7,   0.75,  0.8,    0.825, 0.85,  0.875,
                                              0.9,   0.92,  0.935, 0.95,  0.96,  0.97,   0.98,  0.985, 0.99,
                                              0.993, 0.995, 0.997, 0.998, 0.999, 0.9995, 1.0};
/// A share that counts as nearly all. Of rows' courses: what is usual of e is beyond so many. Of buckets: how
/// far they reach tells how far one of few rows does; by the mean, 15 rows were taken for unlike, not 2
/// (docs/tried.md, "Fresh vectors"; command: fresh). Of rows that may be found: the others change nothing.
inline constexpr double kNearlyAll = 0.9;
/// Standard errors by which what was found is lessened (docs/tried.md, "Where counting and searching went
/// apart"). These of few where k is 1, so that a query finds all or nothing, and for a recall above the last,
/// of which few queries miss anything: some of many choices seem by chance to find more than they do ("Recall
/// near 1").
inline constexpr double kErrors = 0.75, kErrorsOfFew = 1.75, kFewMissed = 0.991;
/// Trials by the search itself: rounds; recalls of the first, and of the others.
inline constexpr int kTrialRounds = 4;
inline constexpr std::array kFirstTried = {0.8F, 0.95F, 0.99F};
inline constexpr std::array kLaterTried = {0.8F, 0.9F, 0.95F, 0.99F, 1.0F};
/// A choice counts as tried if one was that says as much but for this share of what may be missed.
inline constexpr float kTriedWithin = 1.0F / 64.0F;
/// Queries of a trial: at most (of one neighbour kQueriesMeasured), at least; between, as many as cost so
/// much, some hundredths of a second, and have so many neighbours.
inline constexpr double kLeastTried = 40.0, kCostOfTrial = 1.2e7, kNeighboursTried = 1e4;
inline constexpr std::size_t kQueriesTried = 400;
/// From so many dimensions on, what a trial has compared with a query is kept for the next ones.
inline constexpr std::size_t kDimOfLongRows = 256;
/// Candidates that are compared exactly, times k: the first that loses no more than this share of the
/// neighbours. And so many more for any k. For a recall above 0.99 there are more: the more, the less may be
/// missed, down to the least share below.
inline constexpr std::array kNarrowings = {1.25F, 1.5F, 2.0F, 3.0F, 4.0F, 6.0F, 8.0F, 12.0F, 16.0F};
inline constexpr double kLostByNarrowing = 0.001, kLeastMissed = 1e-4;
inline constexpr float kNarrowedAnyway = 8.0F;
/// That is measured with so many queries, through so many buckets, which leave so many candidates.
inline constexpr std::size_t kQueriesForNarrowing = 128, kCandidatesForNarrowing = 4096;
inline constexpr unsigned kBucketsForNarrowing = 512;

// ---- Search
// Commands: turns, bench.

/// More neighbours than these are not kept as a heap: with `exact=True` 3,000 of 60,000 take a third to half
/// of the time so, 10,000 a quarter to half, 100 as long (docs/tried.md, "Where a filter turns to
/// comparing").
inline constexpr std::size_t kMostInHeap = 64;
/// Buckets of the first phase, a power of two. With 4 or 8 a search is 2 to 5 % faster, but of CNN's 0.866
/// was found for 0.90 (docs/tried.md, "What each trick brings").
inline constexpr std::size_t kFirstPhase = 2;
/// Candidates at most: where their number is the same for all queries, and where it shows on the way. So many
/// 8-bit rows take some milliseconds.
inline constexpr std::size_t kMostCandidates = 32768, kMostOnTheWay = 4 * kMostCandidates;
/// Candidates where only `probes=` is given: as many as bring this share of what all would; where that was
/// not measured, so many for each neighbour, and so many more.
inline constexpr double kShareOfCandidates = 0.998, kCandidatesPerNeighbour = 10.0, kMoreCandidates = 100.0;
/// Blocks that are scanned before the limit is drawn in.
inline constexpr std::size_t kBlocksAtOnce = 16;
/// Queries of a batch that are projected and compared with the groups together: 3 to 8 % less time than one
/// by one (docs/tried.md, "What each trick brings").
inline constexpr std::size_t kQueriesHashedAtOnce = 16;
/// Times what is wanted that there is room for: candidates and estimates, before they are cut; and, of one
/// short block a bucket, lists of fresh rows, of which versions are read.
inline constexpr std::size_t kSpareRoom = 4;
/// Candidates are cut by the k-th when twice as many, and so many more, are there as were left.
inline constexpr std::size_t kMoreBeforeCut = 128;
/// Standard errors to spare in that, until the last rows came. With 0.4 far clusters found .64 for .80
/// (docs/tried.md, "Queries unlike all that is stored"; command: promise).
inline constexpr float kSpareErrors = 0.6F;
/// The k-th of no more than so many is found by comparing each with all: 1 to 2 % less time on GloVe
/// (docs/tried.md, "What each trick brings").
inline constexpr std::size_t kComparedForKth = 64;
/// Of evenly spread rows that may be found the probes meet at least this share; else a search goes on
/// through all buckets, and reranks one in so many.
inline constexpr double kMetEvenly = 0.6;
inline constexpr std::size_t kRerankedOneIn = 64;
/// Within a radius: standard errors beyond it up to which a row is compared (docs/engine.md, "Searching by
/// radius").
inline constexpr float kErrorsOfRange = 4.0F;
/// Each query is compared with the originals of so many copies, and one in so many of all rows; with so many
/// at most. Without this a query like no row, whose nearest were 2,300 copies of one vector, found .24 and
/// was told .90 (docs/tried.md, "Heaps of copies"; command: promise).
inline constexpr std::size_t kHeap = 64, kHeapOneIn = 1024, kMostHeaps = 64;
/// Kinds of searches whose plan a snapshot keeps; another is planned each time, which takes some 0.5 µs.
inline constexpr std::size_t kPlansKept = 16;

// ---- Fresh rows
// docs/engine.md, "Life". Commands: fresh, beside.

/// Fewer rows are compared, not hashed: of 4,072 a search looks at all, of 4,097 at 832 (docs/performance.md,
/// "Whether work rises steadily"; command: cliffs --only n).
inline constexpr std::size_t kExactBelow = 4096;
/// A row is unlike what a router knows if it lies so many times as far, squared, as its bucket reaches; or
/// under dot is longer than all by more than this share of their square.
inline constexpr float kUnlikeBeyond = 1.2F, kTooMuchLonger = 0.25F;
/// The next are, too, if rows lie so many times as far on average, squared, and farther by four times 0.5/√n,
/// by which the mean of n errs where they have ten dimensions; from so many on. Before the mean was allowed
/// its error 75 fresh rows were compared by each search, then 11 (docs/tried.md, "Fresh vectors").
inline constexpr double kDrifted = 1.15, kDriftedErrors = 4 * 0.5;
inline constexpr std::size_t kLeastToDrift = 64;
/// A router is learned anew if more than one in so many of the rows to be sealed is unlike. Of a large `add`
/// no row is in a list if one in so many is unlike: to read all in turn takes no longer then.
inline constexpr std::size_t kUnlikeOneIn = 200, kUnlikeOfManyOneIn = 3;
/// Where a row's equal is looked for: full blocks of its bucket, and unlike rows, that came last.
inline constexpr std::size_t kBlocksForCopy = 16, kUnlikeForCopy = 8;
/// Bytes of a chunk of fresh rows. Larger ones gained nothing (docs/tried.md, "Fresh vectors").
inline constexpr std::size_t kChunkBytes = std::size_t{256} << 10;

// ---- When to seal
// docs/engine.md, "Life". Commands: sealing, beside.

/// Fresh rows that are waited for at most. As many in one `add` get lists of their own.
inline constexpr std::size_t kSealAfter = 16384;
/// A router is outgrown by so many times the rows it was learned from, or so many times fewer: half as many
/// buckets as are best cost a search little.
inline constexpr std::size_t kOutgrown = 2;
/// From so many rows on, what comes while a router is learned is sealed in between: to learn it takes 20 µs a
/// row on one core.
inline constexpr std::size_t kSealBetweenFrom = 4 * kSealAfter;
/// What came while a segment was built is put into lists: in so many rounds at most, then, while others wait,
/// if no more are left.
inline constexpr std::size_t kListingRounds = 8, kListedWhileWaited = 4096;
/// With so many fresh rows whoever adds waits, for each row about as long as sealing it takes.
inline constexpr std::size_t kManyFresh = 16 * kSealAfter;
inline constexpr std::chrono::microseconds kWaitForRow{5}, kLongestWait{1000000};
/// Bytes of a row from which on a file holds ids twice: beside it they are less than a hundredth.
inline constexpr std::size_t kWorthIdsTwice = 800;

// ---- Pieces for threads, and pauses
// Results are the same with other numbers, but for the rounding of one sum. Commands: sealing, exact.

/// Rows that a thread takes at once, and a chunk of fresh rows has at most, where each is read and no more.
/// Sums over rows are added up so.
inline constexpr std::size_t kRowsReadAtOnce = 4096;
/// Rows that a thread takes at once where each is placed, projected or compared with centres; queries that
/// share, at most, each row that is packed. Fewer than four times as many fresh rows take one thread; fewer
/// that came while a segment was built take no further round.
inline constexpr std::size_t kRowsRoutedAtOnce = 512;
/// Buckets, or queries that the recall is measured with, that a thread takes at once.
inline constexpr std::size_t kPieceForThread = 32;
/// Where most rows are compared threads share them, in parts of so many bytes, 0.1 ms of one query's work;
/// more than a few of these, as less is not worth a thread.
inline constexpr std::size_t kPartBytes = std::size_t{4} << 20, kFewParts = 4;
/// And if each thread has fewer queries: then it waits for the memory, and not for its arithmetic. As many
/// share each row that is packed, at least.
inline constexpr std::size_t kFewQueries = 8;
/// After so many rows, or buckets, some ten microseconds, it is asked whether to stop, or to give memory
/// back, which is done no more often than that: read at 10 GB/s it is 100 MB.
inline constexpr std::size_t kRowsBetweenAsking = 1024, kBucketsBetweenAsking = 64;
inline constexpr std::chrono::milliseconds kBetweenBreaths{10};

}  // namespace lookalike::tuning
