#include "http/statusz/format.h"

#include <gtest/gtest.h>

namespace content::statusz {
namespace {

TEST(FormatTest, CountsHaveGroups) {
  EXPECT_EQ(Count(0), "0");
  EXPECT_EQ(Count(999), "999");
  EXPECT_EQ(Count(1000), "1,000");
  EXPECT_EQ(Count(12345678), "12,345,678");
}

TEST(FormatTest, RatesHaveThreeDigits) {
  EXPECT_EQ(Rate(0), "0");
  EXPECT_EQ(Rate(0.256), "0.26");
  EXPECT_EQ(Rate(0.2), "0.2");
  EXPECT_EQ(Rate(9.996), "10");
  EXPECT_EQ(Rate(12.34), "12.3");
  EXPECT_EQ(Rate(123.4), "123");
  EXPECT_EQ(Rate(999.6), "1,000");
  EXPECT_EQ(Rate(54321), "54,321");
}

TEST(FormatTest, BytesHaveUnits) {
  EXPECT_EQ(Bytes(0), "0 B");
  EXPECT_EQ(Bytes(999), "999 B");
  EXPECT_EQ(Bytes(1536), "1.5 KiB");
  EXPECT_EQ(Bytes(268435456), "256 MiB");
  EXPECT_EQ(Bytes(1023.0 * 1024 * 1024), "1 GiB");
}

TEST(FormatTest, SecondsHaveUnits) {
  EXPECT_EQ(Seconds(0), "0 s");
  EXPECT_EQ(Seconds(0.00005), "50 µs");
  EXPECT_EQ(Seconds(0.0012), "1.2 ms");
  EXPECT_EQ(Seconds(-0.0012), "-1.2 ms");
  EXPECT_EQ(Seconds(0.9996), "1 s");
  EXPECT_EQ(Seconds(42), "42 s");
}

TEST(FormatTest, PercentsAreNotRoundedToAllOrNothing) {
  EXPECT_EQ(Percent(0), "0 %");
  EXPECT_EQ(Percent(1), "100 %");
  EXPECT_EQ(Percent(0.00001), "under 0.01 %");
  EXPECT_EQ(Percent(0.99999), "over 99.99 %");
  EXPECT_EQ(Percent(0.9996), "99.96 %");
  EXPECT_EQ(Percent(0.5), "50.0 %");
  EXPECT_EQ(Percent(0.042), "4.2 %");
}

TEST(FormatTest, AgesHaveTwoUnits) {
  EXPECT_EQ(Age(-absl::Seconds(1)), "0 s");
  EXPECT_EQ(Age(absl::Seconds(59)), "59 s");
  EXPECT_EQ(Age(absl::Seconds(3599)), "59 min 59 s");
  EXPECT_EQ(Age(absl::Hours(1)), "1 h");
  EXPECT_EQ(Age(absl::Hours(76) + absl::Minutes(5)), "3 d 4 h");
}

TEST(FormatTest, TheClockShowsTheDayUnlessItIsToday) {
  const absl::Time noon = absl::FromCivil(absl::CivilHour(2026, 11, 29, 12), absl::UTCTimeZone());
  EXPECT_EQ(Clock(noon - absl::Seconds(5), noon), "11:59:55");
  EXPECT_EQ(Clock(noon - absl::Hours(24), noon), "2026-11-28 12:00");
}

}  // namespace
}  // namespace content::statusz
