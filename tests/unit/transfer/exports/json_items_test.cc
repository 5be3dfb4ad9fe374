#include "transfer/exports/json_items.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "unit/transfer/exports/read_export.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Reads the elements of `rows`, and the notes in them, as comments whose bodies are JSON.
absl::Status ReadRows(ExportFile& file, ExportSink& sink) {
  const auto use = [](const JsonPath& path) {
    if (StandsAt(path, {"skipped"})) return JsonUse::kSkip;
    const bool is_item = StandsAt(path, {"rows", ""}) || (!path.empty() && path.back() == "note");
    return is_item ? JsonUse::kItem : JsonUse::kPart;
  };
  return ReadJsonItems(file, use, [&sink](const JsonItem& item) {
    ExportedComment comment;
    comment.body = item.is_too_large ? "too large" : item.value.dump();
    return sink.Take(std::move(comment));
  });
}

std::vector<std::string> Bodies(const ReadItems& items) {
  std::vector<std::string> bodies;
  for (const ExportedComment& comment : items.comments) bodies.push_back(comment.body);
  return bodies;
}

TEST(JsonItems, HandsOverItemsWhereverTheyAre) {
  const ReadItems items =
      ReadExport(ReadRows, R"({"a": [1, {"b": null}], "rows": [{"x": [true, -1, 2.5]}, "text", []],
                    "skipped": {"y": 1, "deep": [[{"note": 5}]]}})");
  EXPECT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(Bodies(items), ElementsAre(R"({"x":[true,-1,2.5]})", R"("text")", "[]", "5"));
}

TEST(JsonItems, HandsOverItemsOfAnItemBeforeItAndWithoutThem) {
  const ReadItems items = ReadExport(ReadRows, R"({"rows": [{"x": 1, "note": {"y": 2}}]})");
  EXPECT_THAT(Bodies(items), ElementsAre(R"({"y":2})", R"({"x":1})"));
}

TEST(JsonItems, ReadsValuesThatFollowOneAnother) {
  const ReadItems items =
      ReadExport(ReadRows, "\xEF\xBB\xBF{\"rows\": [1]}\n\n\t{\"rows\":\n[2]}{\"rows\": [3]}  \n");
  EXPECT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(Bodies(items), ElementsAre("1", "2", "3"));
}

TEST(JsonItems, TakesTheLastValueOfAKey) {
  const ReadItems items = ReadExport(ReadRows, R"({"rows": [{"x": {"y": 1}, "x": 2}]})");
  EXPECT_THAT(Bodies(items), ElementsAre(R"({"x":2})"));
}

TEST(JsonItems, SaysWhereAFileIsBroken) {
  for (const auto& [content, problem] : std::vector<std::pair<std::string, std::string>>{
           {R"({"rows": [1, {"x": )", "ends too early"},
           {R"({"rows": [1, "abc)", "ends too early"},
           {R"({"rows": [1, x]})", "is not JSON at byte 14"},
           {"{\"rows\": [1, \"\xFF\"]}", "is not JSON at byte 15"},
           {R"({"rows": [1, 1e999]})", "is not JSON"},
           {R"({"rows": [1, "\ud800"]})", "is not JSON"},
           {R"({"rows": [1]} rest)", "is not JSON"}}) {
    const ReadItems items = ReadExport(ReadRows, content);
    EXPECT_THAT(std::string(items.status.message()), HasSubstr(problem)) << content;
    EXPECT_THAT(Bodies(items), ElementsAre("1")) << content;
  }
}

TEST(JsonItems, RefusesDeepNesting) {
  const std::string deep(2'000'000, '[');
  const ReadItems items = ReadExport(ReadRows, deep);
  EXPECT_THAT(std::string(items.status.message()), HasSubstr("too many values within one another"));
}

TEST(JsonItems, SkipsAnItemThatIsTooLarge) {
  const std::string text(kMaxItemBytes / 4, 'x');
  const std::string large =
      absl::StrCat("[\"", text, "\",\"", text, "\",\"", text, "\",\"", text, "\",\"", text, "\"]");
  const ReadItems items = ReadExport(ReadRows, absl::StrCat(R"({"rows": [)", large, ", 2]}"));
  EXPECT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(Bodies(items), ElementsAre("too large", "2"));
}

TEST(JsonItems, RefusesATextThatIsTooLong) {
  const std::string text(kMaxTextBytes + 200'000, 'x');
  const ReadItems items = ReadExport(ReadRows, absl::StrCat(R"({"rows": [1, ")", text, "\"]}"));
  EXPECT_THAT(std::string(items.status.message()), HasSubstr("a text of too many bytes"));
  EXPECT_THAT(Bodies(items), SizeIs(1));
}

TEST(JsonItems, StopsWhenToldTo) {
  const ReadItems items = ReadExport(ReadRows, R"({"rows": [1, 2, 3, x]})", 2);
  EXPECT_TRUE(items.status.ok()) << items.status;
  EXPECT_THAT(Bodies(items), ElementsAre("1", "2"));
}

TEST(JsonItems, ParsesADocument) {
  EXPECT_EQ(ParseJsonDocument(R"({"a": [1]})").dump(), R"({"a":[1]})");
  EXPECT_TRUE(ParseJsonDocument(R"({"a": [1])").is_discarded());
  EXPECT_TRUE(ParseJsonDocument("").is_discarded());
  EXPECT_TRUE(ParseJsonDocument(std::string(100'000, '[')).is_discarded());
}

TEST(JsonItems, FindsMembersOfTheRightType) {
  const nlohmann::json object = ParseJsonDocument(
      R"({"text": "a", "number": 7, "list": [1], "object": {"b": 1}, "yes": true, "one": 1, "no": 0})");
  EXPECT_EQ(TextIn(object, "text"), "a");
  EXPECT_EQ(TextIn(object, "number"), "");
  EXPECT_EQ(IdIn(object, "number"), "7");
  EXPECT_EQ(IdIn(object, "list"), "");
  EXPECT_THAT(ListIn(object, "list"), SizeIs(1));
  EXPECT_THAT(ListIn(object, "object"), IsEmpty());
  EXPECT_THAT(ObjectIn(object, "object"), SizeIs(1));
  EXPECT_THAT(ObjectIn(object, "list"), IsEmpty());
  EXPECT_TRUE(IsTrueIn(object, "yes"));
  EXPECT_TRUE(IsTrueIn(object, "one"));
  EXPECT_FALSE(IsTrueIn(object, "no"));
  EXPECT_FALSE(IsTrueIn(object, "text"));
  EXPECT_EQ(TextIn(nlohmann::json(1), "text"), "");
}

}  // namespace
}  // namespace content::transfer
