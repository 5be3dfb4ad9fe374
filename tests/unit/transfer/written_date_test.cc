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
                           "2025年6月12日",
                           "2025年6月12日木曜日",
                           "2025年6月12日(木)",
                           "2025年6月12日（木曜日）",
                           "2025年6月12日星期四",
                           "2025年 6月 12日 周四",
                           "2025년 6월 12일",
                           "2025년 6월 12일 목요일",
                           "2025년 6월 12일 (목)",
                           "2025. 6. 12.",
                           "12 июня 2025",
                           "четверг, 12 июня 2025 г.",
                           "Четверг, 12 ИЮНЯ 2025 года",
                           "czwartek, 12 czerwca 2025",
                           "12 czerwca 2025 r."}) {
    EXPECT_EQ(Written(text), "2025-06-12T00:00:00+00:00") << text;
  }
  EXPECT_EQ(Written("1er mars 2021"), "2021-03-01T00:00:00+00:00");
  EXPECT_EQ(Written("3. MÄRZ 2021"), "2021-03-03T00:00:00+00:00");
  EXPECT_EQ(Written("poniedziałek, 13 października 2025"), "2025-10-13T00:00:00+00:00");
  EXPECT_EQ(Written("Środa, 3 września 2025"), "2025-09-03T00:00:00+00:00");
  EXPECT_EQ(Written("3 мая 2021"), "2021-05-03T00:00:00+00:00");
  EXPECT_EQ(Written("1º de março de 2021"), "2021-03-01T00:00:00+00:00");
}

TEST(WrittenDate, ReadsTimesOfDay) {
  for (const char* text :
       {"June 12, 2025 at 6:05 PM", "June 12, 2025, 6:05 p.m.", "12 June 2025 18:05",
        "12. Juni 2025 um 18:05 Uhr", "12 de junho de 2025 às 18:05", "le 12 juin 2025 à 18h05",
        "2025-06-12 18:05", "2025-06-12T18:05:00Z", "2025-06-12T20:05:00+02:00",
        "2025-06-12T18:05:00.000Z", "2025-06-12 18:05:00 UTC", "12 czerwca 2025 o 18:05",
        "12 июня 2025 г. в 18:05", "2025年6月12日 18:05", "2025年6月12日木曜日 午後6:05",
        "2025년 6월 12일 오후 6:05"}) {
    EXPECT_EQ(Written(text), "2025-06-12T18:05:00+00:00") << text;
  }
  EXPECT_EQ(Written("June 12, 2025 12:30 AM"), "2025-06-12T00:30:00+00:00");
  EXPECT_EQ(Written("June 12, 2025 12:30 PM"), "2025-06-12T12:30:00+00:00");
}

TEST(WrittenDate, SaysTheDayOfTheWeek) {
  EXPECT_EQ(ParseWrittenDate("Monday, June 12, 2025")->weekday, absl::Weekday::monday);
  EXPECT_EQ(ParseWrittenDate("quinta-feira, 12 de junho de 2025")->weekday,
            absl::Weekday::thursday);
  EXPECT_EQ(ParseWrittenDate("2025年6月12日月曜日")->weekday, absl::Weekday::monday);
  EXPECT_EQ(ParseWrittenDate("2025年6月12日 星期日")->weekday, absl::Weekday::sunday);
  EXPECT_EQ(ParseWrittenDate("2025년 6월 12일 일요일")->weekday, absl::Weekday::sunday);
  EXPECT_EQ(ParseWrittenDate("среда, 12 июня 2025")->weekday, absl::Weekday::wednesday);
  EXPECT_EQ(ParseWrittenDate("2025年6月12日")->weekday, std::nullopt);
  EXPECT_EQ(ParseWrittenDate("June 12, 2025")->weekday, std::nullopt);
}

TEST(WrittenDate, RefusesWhatIsNoDate) {
  for (const char* text : {"",
                           "June",
                           "June 12",
                           "June 2025",
                           "12/06/2025",
                           "Friday, June 12, 20",
                           "20-01-02",
                           "0020-01-02",
                           "June 31, 2025",
                           "June 12, 2025 was warm",
                           "On June 12, 2025 it rained",
                           "12 13 June 2025",
                           "June 12, 2025 25:00",
                           "June 12, 2025 14:00 PM",
                           "hello",
                           "2025年6月31日",
                           "2025年6月",
                           "2025年6月12日は晴れ",
                           "20年6月12日",
                           "2025年6月12日木",
                           "2025년 6월 12일에 비",
                           "12 июня",
                           "в июне 2025"}) {
    EXPECT_EQ(Written(text), "none") << text;
  }
}

}  // namespace
}  // namespace content::transfer
