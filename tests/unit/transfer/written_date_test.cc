#include "transfer/written_date.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/time/time.h"

namespace content::transfer {
namespace {

std::string Written(absl::string_view text) {
  const std::optional<WrittenDate> date = ParseWrittenDate(text);
  return date ? absl::FormatTime(absl::RFC3339_full, date->time, absl::UTCTimeZone()) : "none";
}

TEST(WrittenDate, ReadsDatesInWords) {
  for (const char* text : {"Thursday, June 12, 2025",
                           "June 12, 2025",
                           "12 June 2025",
                           "Thursday, 12 June 2025",
                           "THU, JUN 12TH, 2025",
                           "Jun. 12, 2025",
                           "quinta-feira, 12 de junho de 2025",
                           "12 de jun. de 2025",
                           "jueves, 12 de junio de 2025",
                           "Donnerstag, 12. Juni 2025",
                           "Donnerstag, den 12. Juni 2025",
                           "am 12. Juni 2025",
                           "jeudi 12 juin 2025",
                           "le 12 juin 2025",
                           "donderdag 12 juni 2025",
                           "giovedì 12 giugno 2025",
                           "Thursday,\u00A0June 12, 2025",
                           "Posted on June 12, 2025",
                           "Published: 12 June 2025",
                           "2025-06-12",
                           "2025/06/12",
                           "12.06.2025",
                           "2025年6月12日"}) {
    EXPECT_EQ(Written(text), "2025-06-12T00:00:00+00:00") << text;
  }
  EXPECT_EQ(Written("1er mars 2021"), "2021-03-01T00:00:00+00:00");
  EXPECT_EQ(Written("3. MÄRZ 2021"), "2021-03-03T00:00:00+00:00");
  EXPECT_EQ(Written("1º de março de 2021"), "2021-03-01T00:00:00+00:00");
}

TEST(WrittenDate, ReadsTimesOfDay) {
  for (const char* text :
       {"June 12, 2025 at 6:05 PM", "June 12, 2025, 6:05 p.m.", "12 June 2025 18:05",
        "12. Juni 2025 um 18:05 Uhr", "12 de junho de 2025 às 18:05", "le 12 juin 2025 à 18h05",
        "2025-06-12 18:05", "2025-06-12T18:05:00Z", "2025-06-12T20:05:00+02:00",
        "2025-06-12T18:05:00.000Z", "2025-06-12 18:05:00 UTC"}) {
    EXPECT_EQ(Written(text), "2025-06-12T18:05:00+00:00") << text;
  }
  EXPECT_EQ(Written("June 12, 2025 12:30 AM"), "2025-06-12T00:30:00+00:00");
  EXPECT_EQ(Written("June 12, 2025 12:30 PM"), "2025-06-12T12:30:00+00:00");
}

TEST(WrittenDate, SaysTheDayOfTheWeek) {
  EXPECT_EQ(ParseWrittenDate("Monday, June 12, 2025")->weekday, absl::Weekday::monday);
  EXPECT_EQ(ParseWrittenDate("quinta-feira, 12 de junho de 2025")->weekday,
            absl::Weekday::thursday);
  EXPECT_EQ(ParseWrittenDate("June 12, 2025")->weekday, std::nullopt);
}

TEST(WrittenDate, RefusesWhatIsNoDate) {
  for (const char* text :
       {"", "June", "June 12", "June 2025", "12/06/2025", "Friday, June 12, 20", "20-01-02",
        "0020-01-02", "June 31, 2025", "June 12, 2025 was warm", "On June 12, 2025 it rained",
        "12 13 June 2025", "June 12, 2025 25:00", "June 12, 2025 14:00 PM", "hello"}) {
    EXPECT_EQ(Written(text), "none") << text;
  }
}

}  // namespace
}  // namespace content::transfer
