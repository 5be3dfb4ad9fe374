#include "base/call_trace.h"

#include <gtest/gtest.h>

namespace content {
namespace {

using Kind = CallTrace::Kind;

SteadyTime At(int milliseconds) { return SteadyTime() + absl::Milliseconds(milliseconds); }

TEST(CallTrace, AddsUpEachKindOfStep) {
  CallTrace trace({});
  trace.Add({.kind = Kind::kQueue, .start = At(0), .end = At(2)});
  trace.Add({.kind = Kind::kDatabase, .start = At(2), .end = At(5), .batch_size = 3});
  trace.Add({.kind = Kind::kQueue, .start = At(10), .end = At(11)});
  trace.Add({.kind = Kind::kDatabase, .start = At(11), .end = At(12), .batch_size = 2});
  EXPECT_EQ(trace.Total(Kind::kQueue), absl::Milliseconds(3));
  EXPECT_EQ(trace.Total(Kind::kDatabase), absl::Milliseconds(4));
  EXPECT_EQ(trace.Total(Kind::kCommit), absl::ZeroDuration());
  EXPECT_EQ(trace.LargestBatch(), 3U);
  EXPECT_EQ(trace.Steps().size(), 4U);
}

TEST(CallTrace, CountsStepsAtTheSameTimeOnce) {
  CallTrace trace({});
  for (int i = 0; i < 100; ++i) {
    trace.Add({.kind = Kind::kDatabase, .start = At(1), .end = At(3), .batch_size = 64});
  }
  trace.Add({.kind = Kind::kDatabase, .start = At(2), .end = At(4)});
  EXPECT_EQ(trace.Total(Kind::kDatabase), absl::Milliseconds(3));
}

TEST(CallTrace, CountsStepsInWhateverOrderTheyEnd) {
  CallTrace trace({});
  trace.Add({.kind = Kind::kStatement, .start = At(10), .end = At(11)});
  trace.Add({.kind = Kind::kStatement, .start = At(1), .end = At(3)});
  EXPECT_EQ(trace.Total(Kind::kStatement), absl::Milliseconds(3));
  trace.Add({.kind = Kind::kStatement, .start = At(5), .end = At(6)});
  EXPECT_EQ(trace.Total(Kind::kStatement), absl::Milliseconds(4));
  trace.Add({.kind = Kind::kStatement, .start = At(2), .end = At(7)});
  EXPECT_EQ(trace.Total(Kind::kStatement), absl::Milliseconds(7));
  trace.Add({.kind = Kind::kStatement, .start = At(0), .end = At(12)});
  EXPECT_EQ(trace.Total(Kind::kStatement), absl::Milliseconds(12));
}

TEST(CallTrace, KeepsSoManySteps) {
  CallTrace trace({});
  for (int i = 0; i < 1000; ++i) {
    trace.Add({.kind = Kind::kStatement, .start = At(i), .end = At(i + 1)});
  }
  EXPECT_EQ(trace.Steps().size(), CallTrace::kMaxStatements);
  EXPECT_EQ(trace.Total(Kind::kStatement), absl::Seconds(1));
  for (int i = 0; i < 1000; ++i) {
    trace.Add({.kind = Kind::kDatabase, .start = At(3 * i), .end = At(3 * i + 1)});
  }
  EXPECT_EQ(trace.Steps().size(), CallTrace::kMaxSteps);
  EXPECT_EQ(trace.Total(Kind::kDatabase), absl::Seconds(1));
}

TEST(CallTrace, HasNoBatchWithoutTheDatabase) { EXPECT_EQ(CallTrace({}).LargestBatch(), 0U); }

}  // namespace
}  // namespace content
