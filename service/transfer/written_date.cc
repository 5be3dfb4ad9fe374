#include "transfer/written_date.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "content/text.h"

namespace content::transfer {
namespace {

// Words are compared without accents and in lower case.
using Words = std::map<absl::string_view, int>;

const Words& Months() {
  static const Words& months =
      *new Words{{"jan", 1},       {"january", 1},    {"janeiro", 1},      {"enero", 1},
                 {"ene", 1},       {"januar", 1},     {"janner", 1},       {"janvier", 1},
                 {"janv", 1},      {"januari", 1},    {"gennaio", 1},      {"gen", 1},
                 {"feb", 2},       {"february", 2},   {"fev", 2},          {"fevereiro", 2},
                 {"febrero", 2},   {"februar", 2},    {"fevrier", 2},      {"fevr", 2},
                 {"februari", 2},  {"febbraio", 2},   {"mar", 3},          {"march", 3},
                 {"marco", 3},     {"marzo", 3},      {"marz", 3},         {"maerz", 3},
                 {"mars", 3},      {"maart", 3},      {"mrt", 3},          {"apr", 4},
                 {"april", 4},     {"abr", 4},        {"abril", 4},        {"avril", 4},
                 {"avr", 4},       {"aprile", 4},     {"may", 5},          {"mai", 5},
                 {"maio", 5},      {"mayo", 5},       {"mei", 5},          {"maggio", 5},
                 {"mag", 5},       {"jun", 6},        {"june", 6},         {"junho", 6},
                 {"junio", 6},     {"juni", 6},       {"juin", 6},         {"giugno", 6},
                 {"giu", 6},       {"jul", 7},        {"july", 7},         {"julho", 7},
                 {"julio", 7},     {"juli", 7},       {"juillet", 7},      {"juil", 7},
                 {"luglio", 7},    {"lug", 7},        {"aug", 8},          {"august", 8},
                 {"ago", 8},       {"agosto", 8},     {"aout", 8},         {"augustus", 8},
                 {"sep", 9},       {"sept", 9},       {"september", 9},    {"set", 9},
                 {"setembro", 9},  {"septiembre", 9}, {"setiembre", 9},    {"septembre", 9},
                 {"settembre", 9}, {"oct", 10},       {"october", 10},     {"out", 10},
                 {"outubro", 10},  {"octubre", 10},   {"okt", 10},         {"oktober", 10},
                 {"octobre", 10},  {"ottobre", 10},   {"ott", 10},         {"nov", 11},
                 {"november", 11}, {"novembro", 11},  {"noviembre", 11},   {"novembre", 11},
                 {"dec", 12},      {"december", 12},  {"dez", 12},         {"dezembro", 12},
                 {"dic", 12},      {"diciembre", 12}, {"dezember", 12},    {"decembre", 12},
                 {"dicembre", 12}, {"styczen", 1},    {"stycznia", 1},     {"sty", 1},
                 {"luty", 2},      {"lutego", 2},     {"lut", 2},          {"marzec", 3},
                 {"marca", 3},     {"kwiecien", 4},   {"kwietnia", 4},     {"kwi", 4},
                 {"maj", 5},       {"maja", 5},       {"czerwiec", 6},     {"czerwca", 6},
                 {"cze", 6},       {"lipiec", 7},     {"lipca", 7},        {"lip", 7},
                 {"sierpien", 8},  {"sierpnia", 8},   {"sie", 8},          {"wrzesien", 9},
                 {"wrzesnia", 9},  {"wrz", 9},        {"pazdziernik", 10}, {"pazdziernika", 10},
                 {"paz", 10},      {"listopad", 11},  {"listopada", 11},   {"lis", 11},
                 {"grudzien", 12}, {"grudnia", 12},   {"gru", 12},         {"январь", 1},
                 {"января", 1},    {"янв", 1},        {"февраль", 2},      {"февраля", 2},
                 {"февр", 2},      {"фев", 2},        {"март", 3},         {"марта", 3},
                 {"мар", 3},       {"апрель", 4},     {"апреля", 4},       {"апр", 4},
                 {"май", 5},       {"мая", 5},        {"июнь", 6},         {"июня", 6},
                 {"июн", 6},       {"июль", 7},       {"июля", 7},         {"июл", 7},
                 {"август", 8},    {"августа", 8},    {"авг", 8},          {"сентябрь", 9},
                 {"сентября", 9},  {"сент", 9},       {"сен", 9},          {"октябрь", 10},
                 {"октября", 10},  {"окт", 10},       {"ноябрь", 11},      {"ноября", 11},
                 {"нояб", 11},     {"ноя", 11},       {"декабрь", 12},     {"декабря", 12},
                 {"дек", 12}};
  return months;
}

// From Monday, as absl::Weekday has it. Slug makes a hyphen of the "ł" in "poniedziałek".
const Words& Weekdays() {
  static const Words& weekdays = *new Words{
      {"monday", 0},       {"mon", 0},          {"segunda-feira", 0}, {"segunda", 0},
      {"lunes", 0},        {"montag", 0},       {"lundi", 0},         {"maandag", 0},
      {"lunedi", 0},       {"tuesday", 1},      {"tue", 1},           {"tues", 1},
      {"terca-feira", 1},  {"terca", 1},        {"martes", 1},        {"dienstag", 1},
      {"mardi", 1},        {"dinsdag", 1},      {"martedi", 1},       {"wednesday", 2},
      {"wed", 2},          {"quarta-feira", 2}, {"quarta", 2},        {"miercoles", 2},
      {"mittwoch", 2},     {"mercredi", 2},     {"woensdag", 2},      {"mercoledi", 2},
      {"thursday", 3},     {"thu", 3},          {"thur", 3},          {"thurs", 3},
      {"quinta-feira", 3}, {"quinta", 3},       {"jueves", 3},        {"donnerstag", 3},
      {"jeudi", 3},        {"donderdag", 3},    {"giovedi", 3},       {"friday", 4},
      {"fri", 4},          {"sexta-feira", 4},  {"sexta", 4},         {"viernes", 4},
      {"freitag", 4},      {"vendredi", 4},     {"vrijdag", 4},       {"venerdi", 4},
      {"saturday", 5},     {"sat", 5},          {"sabado", 5},        {"samstag", 5},
      {"sonnabend", 5},    {"samedi", 5},       {"zaterdag", 5},      {"sabato", 5},
      {"sunday", 6},       {"sun", 6},          {"domingo", 6},       {"sonntag", 6},
      {"dimanche", 6},     {"zondag", 6},       {"domenica", 6},      {"poniedzia-ek", 0},
      {"wtorek", 1},       {"sroda", 2},        {"czwartek", 3},      {"piatek", 4},
      {"sobota", 5},       {"niedziela", 6},    {"понедельник", 0},   {"пн", 0},
      {"вторник", 1},      {"вт", 1},           {"среда", 2},         {"ср", 2},
      {"четверг", 3},      {"чт", 3},           {"пятница", 4},       {"пт", 4},
      {"суббота", 5},      {"сб", 5},           {"воскресенье", 6},   {"вс", 6}};
  return weekdays;
}

bool IsFiller(absl::string_view word) {
  static const auto& fillers = *new std::set<absl::string_view>{"a",
                                                                "alle",
                                                                "as",
                                                                "at",
                                                                "date",
                                                                "datum",
                                                                "de",
                                                                "del",
                                                                "den",
                                                                "der",
                                                                "di",
                                                                "die",
                                                                "el",
                                                                "em",
                                                                "fecha",
                                                                "il",
                                                                "le",
                                                                "of",
                                                                "om",
                                                                "on",
                                                                "op",
                                                                "ore",
                                                                "posted",
                                                                "published",
                                                                "publicado",
                                                                "publie",
                                                                "the",
                                                                "uhr",
                                                                "um",
                                                                "uur",
                                                                "van",
                                                                "veroffentlicht",
                                                                "utc",
                                                                "gmt",
                                                                "pubblicato",
                                                                "geplaatst",
                                                                "opublikowano",
                                                                "dnia",
                                                                "r",
                                                                "roku",
                                                                "godz",
                                                                "o",
                                                                "г",
                                                                "года",
                                                                "в",
                                                                "от",
                                                                "опубликовано"};
  return fillers.contains(word);
}

// "12", "12th", "1er", "3º".
bool ParseDay(absl::string_view word, int& day) {
  for (const absl::string_view ending : {"st", "nd", "rd", "th", "er", "º", "ª", "o", "a"}) {
    if (absl::ConsumeSuffix(&word, ending)) break;
  }
  return word.size() <= 2 && absl::SimpleAtoi(word, &day) && day >= 1 && day <= 31;
}

// "10:00", "10:00:30", "10h30".
bool ParseTimeOfDay(absl::string_view word, absl::Duration& time_of_day) {
  const std::vector<absl::string_view> parts = absl::StrSplit(word, absl::ByAnyChar(":h"));
  if (parts.size() < 2 || parts.size() > 3) return false;
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  const bool is_time = absl::SimpleAtoi(parts[0], &hours) && absl::SimpleAtoi(parts[1], &minutes) &&
                       (parts.size() == 2 || absl::SimpleAtoi(parts[2], &seconds));
  if (!is_time || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 ||
      seconds > 59) {
    return false;
  }
  time_of_day = absl::Hours(hours) + absl::Minutes(minutes) + absl::Seconds(seconds);
  return true;
}

// Returns a word as dates are compared. Slug knows no Cyrillic.
std::string WordOfDate(absl::string_view word) {
  if (!word.empty() && absl::ascii_isdigit(static_cast<unsigned char>(word[0]))) {
    return absl::AsciiStrToLower(word);
  }
  std::string plain = Slug(word);
  if (!plain.empty()) return plain;
  plain = std::string(word);
  for (size_t i = 0; i + 1 < plain.size(); i += 2) {
    const auto second = static_cast<unsigned char>(plain[i + 1]);
    if (plain[i] != '\xD0' || second < 0x90 || second > 0xAF) continue;
    if (second >= 0xA0) plain[i] = '\xD1';
    plain[i + 1] = static_cast<char>(second < 0xA0 ? second + 0x20 : second - 0x20);
  }
  return plain;
}

// Puts a date together from its words.
class DateInWords {
 public:
  // Returns false if the word has no place in a date, or the date has such a word already.
  bool Add(absl::string_view word) {
    if (const auto month = Months().find(word); month != Months().end()) {
      // "mar" is short for a Tuesday in some languages, but not in dates that say it in full.
      return Set(month_, month->second);
    }
    if (const auto weekday = Weekdays().find(word); weekday != Weekdays().end()) {
      return Set(weekday_, weekday->second);
    }
    if (word == "pm" || word == "am") {
      if (!time_of_day_ && word == "am") return true;  // German: "am 12. Juni"
      if (!time_of_day_ || *time_of_day_ >= absl::Hours(13)) return false;
      if (*time_of_day_ >= absl::Hours(12)) *time_of_day_ -= absl::Hours(12);
      if (word == "pm") *time_of_day_ += absl::Hours(12);
      return true;
    }
    if (IsFiller(word)) return true;
    int number = 0;
    if (ParseDay(word, number)) return Set(day_, number);
    if (word.size() == 4 && absl::SimpleAtoi(word, &number) && number >= 1000) {
      return Set(year_, number);
    }
    absl::Duration time_of_day;
    return ParseTimeOfDay(word, time_of_day) && Set(time_of_day_, time_of_day);
  }

  std::optional<WrittenDate> Date() const {
    if (!year_ || !month_ || !day_) return std::nullopt;
    const absl::CivilDay day(*year_, *month_, *day_);
    if (day.day() != *day_) return std::nullopt;  // the 31st of June
    WrittenDate date{.time = absl::FromCivil(day, absl::UTCTimeZone()) +
                             time_of_day_.value_or(absl::ZeroDuration()),
                     .weekday = std::nullopt};
    if (weekday_) date.weekday = static_cast<absl::Weekday>(*weekday_);
    return date;
  }

 private:
  template <typename T>
  static bool Set(std::optional<T>& field, T value) {
    if (field) return false;
    field = value;
    return true;
  }

  std::optional<int> year_;
  std::optional<int> month_;
  std::optional<int> day_;
  std::optional<int> weekday_;
  std::optional<absl::Duration> time_of_day_;
};

// In a format, a space matches any number of spaces, including none.
std::optional<WrittenDate> ParseNumbers(absl::string_view text) {
  absl::string_view date = absl::StripTrailingAsciiWhitespace(text);
  absl::ConsumeSuffix(&date, "UTC");
  absl::ConsumeSuffix(&date, "GMT");
  absl::Time time;
  // The first is the one that programs write.
  for (const char* format :
       {"%Y-%m-%d%ET%H:%M:%E*S %Ez", "%Y-%m-%d", "%Y-%m-%d%ET%H:%M", "%Y-%m-%d%ET%H:%M %Ez",
        "%Y-%m-%d%ET%H:%M:%E*S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M %Ez", "%Y-%m-%d %H:%M:%E*S",
        "%Y-%m-%d %H:%M:%E*S %Ez", "%Y-%m-%d %I:%M %p", "%Y/%m/%d", "%d.%m.%Y", "%Y. %m. %d",
        "%Y. %m. %d."}) {
    if (absl::ParseTime(format, date, &time, nullptr) &&
        time >= absl::FromCivil(absl::CivilYear(1000), absl::UTCTimeZone())) {
      return WrittenDate{.time = time, .weekday = std::nullopt};
    }
  }
  return std::nullopt;
}

// Removes everything up to the first `sign`, and returns it.
std::optional<absl::string_view> ConsumeUntil(absl::string_view sign, absl::string_view& text) {
  const size_t at = text.find(sign);
  if (at == absl::string_view::npos) return std::nullopt;
  const absl::string_view before = absl::StripAsciiWhitespace(text.substr(0, at));
  text.remove_prefix(at + sign.size());
  return before;
}

// Removes a day of the week from the beginning: "木曜日", "(木)", "星期四", "周四", "목요일".
std::optional<absl::Weekday> ConsumeEasternWeekday(absl::string_view& text) {
  static constexpr std::array<absl::string_view, 7> kDays[] = {
      {"月", "火", "水", "木", "金", "土", "日"},
      {"一", "二", "三", "四", "五", "六", "日"},
      {"월", "화", "수", "목", "금", "토", "일"}};
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(text);
  bool is_told = absl::ConsumePrefix(&rest, "(") || absl::ConsumePrefix(&rest, "（");
  for (const absl::string_view week : {"星期", "周", "週"}) {
    is_told = absl::ConsumePrefix(&rest, week) || is_told;
  }
  for (const auto& days : kDays) {
    for (size_t day = 0; day < days.size(); ++day) {
      absl::string_view after = rest;
      if (!absl::ConsumePrefix(&after, days[day])) continue;
      for (const absl::string_view ending : {"曜日", "曜", "요일", ")", "）"}) {
        is_told = absl::ConsumePrefix(&after, ending) || is_told;
      }
      if (!is_told) continue;
      text = after;
      return static_cast<absl::Weekday>(day);
    }
  }
  return std::nullopt;
}

// Reads "2025年6月12日木曜日", "2025년 6월 12일 (목) 오후 6:05".
std::optional<WrittenDate> ParseEastern(absl::string_view text) {
  static constexpr std::array<absl::string_view, 3> kSigns[] = {{"年", "月", "日"},
                                                                {"년", "월", "일"}};
  for (const auto& signs : kSigns) {
    absl::string_view rest = text;
    const auto year = ConsumeUntil(signs[0], rest);
    const auto month = ConsumeUntil(signs[1], rest);
    const auto day = ConsumeUntil(signs[2], rest);
    if (!year || !month || !day) continue;
    const std::optional<absl::Weekday> weekday = ConsumeEasternWeekday(rest);
    rest = absl::StripAsciiWhitespace(rest);
    absl::string_view half;
    for (const absl::string_view am : {"午前", "上午", "오전"}) {
      if (absl::ConsumePrefix(&rest, am)) half = "AM";
    }
    for (const absl::string_view pm : {"午後", "下午", "오후"}) {
      if (absl::ConsumePrefix(&rest, pm)) half = "PM";
    }
    std::string western = absl::StrCat(*year, "-", *month, "-", *day, " ", rest, half);
    std::optional<WrittenDate> date = ParseNumbers(western);
    if (date) date->weekday = weekday;
    return date;
  }
  return std::nullopt;
}

constexpr size_t kMaxBytes = 100;

}  // namespace

std::optional<WrittenDate> ParseWrittenDate(absl::string_view text) {
  text = TrimWhiteSpace(text);
  if (text.empty() || text.size() > kMaxBytes) return std::nullopt;
  if (std::optional<WrittenDate> date = ParseNumbers(text)) return date;
  if (std::optional<WrittenDate> date = ParseEastern(text)) return date;
  DateInWords date;
  const std::string spaced =
      absl::StrReplaceAll(text, {{"\u00A0", " "}, {"·", " "}, {"a.m.", "am"}, {"p.m.", "pm"}});
  for (absl::string_view word :
       absl::StrSplit(spaced, absl::ByAnyChar(" \t,|"), absl::SkipWhitespace())) {
    while (absl::ConsumeSuffix(&word, ".") || absl::ConsumeSuffix(&word, ":")) continue;
    if (!word.empty() && !date.Add(WordOfDate(word))) return std::nullopt;
  }
  return date.Date();
}

}  // namespace content::transfer
