#include "transfer/exports/movable_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "transfer/parse.h"
#include "unit/transfer/exports/read_export.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kEntry[] = R"(AUTHOR: Ada Byron
TITLE: Low water
BASENAME: low_water
STATUS: Publish
ALLOW COMMENTS: 1
CONVERT BREAKS: richtext
PRIMARY CATEGORY: Tides
CATEGORY: Tides
CATEGORY: Boats
DATE: 11/13/2008 02:16:10 PM
TAGS: "dry land",mud
-----
BODY:
The boat<br />lies <b>dry</b>.
-----
EXTENDED BODY:
<p>More.</p>
-----
EXCERPT:
A boat.

-----
KEYWORDS:
boat
-----

COMMENT:
AUTHOR: Jo
EMAIL: jo@example.org
IP: 192.0.2.1
URL:
DATE: 11/13/2008 03:04:07 PM
First line.
AUTHOR: no more
-----

COMMENT:
AUTHOR: Jo
EMAIL: jo@example.org
DATE: 11/13/2008 03:04:07 PM
<p>Again</p>
-----

PING:
TITLE: Elsewhere
URL: http://spam.example/
Spam
-----


--------
)";

TEST(MovableType, ReadsAnEntryAndItsComments) {
  for (const char* const line_end : {"\n", "\r\n", "\r"}) {
    const ReadItems items =
        ReadExport(ReadMovableType, absl::StrReplaceAll(kEntry, {{"\n", line_end}}));
    ASSERT_TRUE(items.status.ok()) << items.status;
    ASSERT_THAT(items.articles, SizeIs(1));
    const ExportedArticle& exported = items.articles[0];
    const v1::Article& article = exported.file.article;
    EXPECT_EQ(exported.label, "entry low_water");
    EXPECT_EQ(exported.file.draft, "");
    EXPECT_EQ(article.title(), "Low water");
    EXPECT_EQ(article.name(), "articles/low-water");
    EXPECT_EQ(article.authors(0).display_name(), "Ada Byron");
    EXPECT_EQ(article.publish_time().seconds(), 1226585770);
    EXPECT_THAT(article.tags(), ElementsAre("Tides", "Boats", "dry land", "mud"));
    EXPECT_EQ(article.summary(), "A boat.");
    EXPECT_EQ(article.body(), "The boat\\\nlies **dry**.\n\nMore.");
    ASSERT_THAT(items.comments, SizeIs(2));
    const ExportedComment& comment = items.comments[0];
    EXPECT_EQ(comment.article_key, exported.key);
    EXPECT_EQ(comment.author_name, "Jo");
    EXPECT_EQ(comment.author_key, "");
    EXPECT_EQ(comment.create_time, absl::FromUnixSeconds(1226588647));
    EXPECT_EQ(comment.body, "First line.\nAUTHOR: no more");
    EXPECT_EQ(comment.state, v1::COMMENT_STATE_VISIBLE);
    EXPECT_EQ(items.comments[1].body, "Again");
    EXPECT_NE(items.comments[1].source_id, comment.source_id);
  }
}

TEST(MovableType, ReadsSeveralEntries) {
  const ReadItems items =
      ReadExport(ReadMovableType, absl::StrCat("\uFEFF\n", kEntry, kEntry, "\n\n"));
  EXPECT_THAT(items.articles, SizeIs(2));
  EXPECT_THAT(items.comments, SizeIs(4));
  EXPECT_THAT(ReadExport(ReadMovableType, absl::StrCat(kEntry, kEntry), 4).comments, SizeIs(2));
}

// An entry with a field and a text.
ReadItems ReadEntry(absl::string_view field, absl::string_view body) {
  return ReadExport(ReadMovableType,
                    absl::StrCat("TITLE: Low water\nDATE: 11/13/2008 14:16:10\n", field,
                                 "\n-----\nBODY:\n", body, "\n-----\n--------\n"));
}

TEST(MovableType, PublishesOnlyWhatWasPublished) {
  const std::map<std::string, std::string> cases = {
      {"STATUS: Publish", ""},
      {"STATUS: publish", ""},
      {"STATUS: Draft", "the entry is a draft"},
      {"STATUS: Future", "the entry is scheduled"},
      {"STATUS: Review", "the entry does not say that it was published"},
      {"STATUS:", "the entry does not say that it was published"},
      {"", "the entry does not say that it was published"}};
  for (const auto& [field, draft] : cases) {
    EXPECT_EQ(ReadEntry(field, "x").articles.at(0).file.draft, draft) << field;
  }
}

TEST(MovableType, CommentsThatAreClosedStayClosed) {
  const std::map<std::string, v1::CommentPolicy> cases = {
      {"ALLOW COMMENTS: 0", v1::COMMENT_POLICY_CLOSED},
      {"ALLOW COMMENTS: 1", v1::COMMENT_POLICY_UNSPECIFIED},
      {"ALLOW COMMENTS: 2", v1::COMMENT_POLICY_CLOSED},
      {"ALLOW COMMENTS:", v1::COMMENT_POLICY_UNSPECIFIED},
      {"", v1::COMMENT_POLICY_UNSPECIFIED}};
  for (const auto& [field, policy] : cases) {
    EXPECT_EQ(ReadEntry(field, "x").articles.at(0).file.article.comment_policy(), policy) << field;
  }
}

TEST(MovableType, ADateThatCannotBeReadIsAFault) {
  const auto read = [](absl::string_view date) {
    return ReadExport(ReadMovableType, absl::StrCat("TITLE: Low water\nSTATUS: Publish\n", date,
                                                    "\n-----\nBODY:\nx\n-----\n--------\n"))
        .articles.at(0)
        .file;
  };
  const ParsedFile bad = read("DATE: 13/01/2003 10:00:00");
  const absl::Status refusal = CompleteExported(bad, "k", {}).status();
  EXPECT_EQ(refusal.message(), "DATE is not a date such as 11/13/2008 02:16:10 PM");
  EXPECT_THAT(read("").notes, ElementsAre("it has no date"));
  EXPECT_TRUE(CompleteExported(read("DATE: 01/13/2003 10:00:00"), "k", {}).ok());
}

TEST(MovableType, ConvertsBreaksAsTheEntrySays) {
  constexpr absl::string_view kText = "One\ntwo\n\n<h2>Head</h2>\n\n*three*";
  const std::map<std::string, std::string> cases = {
      {"CONVERT BREAKS: 0", "One two\n\n## Head\n\n\\*three\\*"},
      {"CONVERT BREAKS: 1", "One\\\ntwo\n\n## Head\n\n\\*three\\*"},
      {"CONVERT BREAKS: __default__", "One\\\ntwo\n\n## Head\n\n\\*three\\*"},
      {"CONVERT BREAKS: markdown_with_smartypants", "One\\\ntwo\n\n## Head\n\n*three*"},
      {"", "One\\\ntwo\n\n## Head\n\n\\*three\\*"}};
  for (const auto& [field, body] : cases) {
    EXPECT_EQ(ReadEntry(field, kText).articles.at(0).file.article.body(), body) << field;
  }
  EXPECT_EQ(ReadEntry("", "<p>One\ntwo</p>").articles.at(0).file.article.body(), "One two");
}

TEST(MovableType, KeepsLinesOfDashesInTexts) {
  const ReadItems items =
      ReadEntry("CONVERT BREAKS: 1", "One\n-----\ntwo\n\n--------\n\nthree: four\n------\nfive");
  ASSERT_THAT(items.articles, SizeIs(1));
  EXPECT_THAT(items.articles[0].file.article.body(), HasSubstr("five"));
  EXPECT_THAT(items.articles[0].file.article.body(), HasSubstr("three: four"));
}

TEST(MovableType, LeavesOutPrivateCommentsAndPasswords) {
  const ReadItems items = ReadEntry(
      "",
      "x\n-----\nCOMMENT:\nAUTHOR: Jo\nSECRET: 1\nPASS: abc\nDATE: 11/13/2008 14:16:10\nHidden\n"
      "-----\nCOMMENT:\nAUTHOR: Jo\nSECRET: 0\nPASS: abc\nDATE: 11/13/2008 14:16:10\nSeen");
  EXPECT_THAT(items.left_out, ElementsAre(HasSubstr("private")));
  ASSERT_THAT(items.comments, SizeIs(1));
  EXPECT_EQ(items.comments[0].body, "Seen");
}

// An entry with a comment that has these fields.
ExportedComment ReadEntryComment(absl::string_view fields) {
  const ReadItems items =
      ReadEntry("", absl::StrCat("x\n-----\nCOMMENT:\nAUTHOR: Jo\nDATE: 11/13/2008 14:16:10\n",
                                 fields, "Text.\nEND: of it"));
  return items.comments.at(0);
}

TEST(MovableType, PublishesNoFieldOfAComment) {
  for (const char* const fields : {"MOOD: low\nEMAIL: jo@example.org\n", "IP_ADDRESS: 192.0.2.1\n",
                                   "\nEMAIL: jo@example.org\n\nX-2: y\n"}) {
    const ExportedComment comment = ReadEntryComment(fields);
    EXPECT_EQ(comment.body, "Text.\nEND: of it") << fields;
    EXPECT_THAT(comment.notes, ElementsAre("left out a field that is not known")) << fields;
  }
  EXPECT_THAT(ReadEntryComment("EMAIL: jo@example.org\n").notes, IsEmpty());
}

TEST(MovableType, LinesOfACommentThatLookLikeFieldsStay) {
  const std::string kTexts[] = {"Q: Why?\nA: No idea.", "UPDATE: it works now",
                                "NOTE: the link is dead\nSo look here.",
                                "DATE: this is wrong\n\nURL: so is this"};
  for (const std::string& text : kTexts) {
    const ReadItems items = ReadEntry(
        "", absl::StrCat("x\n-----\nCOMMENT:\nAUTHOR: Jo\nURL:\nDATE: 11/13/2008 14:16:10\n", text,
                         "\n-----\nCOMMENT:\nAUTHOR: Bo\nURL:\nDATE: 11/13/2008 14:16:11\n", text));
    ASSERT_THAT(items.comments, SizeIs(2)) << text;
    for (const ExportedComment& comment : items.comments) {
      EXPECT_EQ(comment.body, text);
      EXPECT_THAT(comment.notes, IsEmpty()) << text;
    }
  }
  // A field that is known shows that those before it were fields.
  const ExportedComment comment = ReadEntryComment("MOOD: low\nSTATUS: approved\nEDIT: a word\n");
  EXPECT_EQ(comment.body, "EDIT: a word\nText.\nEND: of it");
  EXPECT_THAT(comment.notes, ElementsAre("left out a field that is not known"));
}

TEST(MovableType, LinesThatLookLikePartsStay) {
  const ReadItems items =
      ReadEntry("CONVERT BREAKS: 1", "One\n-----\nUPDATE:\nTwo\n-----\nEXTENDED BODY:\nThree");
  EXPECT_EQ(items.articles.at(0).file.article.body(), "One\\\n\\-----\\\nUPDATE:\\\nTwo\n\nThree");
}

TEST(MovableType, NotesWhatReadersMiss) {
  EXPECT_THAT(ReadEntry("", "a <iframe src='b'></iframe>").articles.at(0).file.notes,
              ElementsAre("left out 1 <iframe>"));
}

TEST(MovableType, ShowsOnlyCommentsThatWereShown) {
  for (const char* const shown :
       {"", "STATUS: Publish\n", "VISIBLE: 1\n", "APPROVED: Yes\nSTATUS: approved\n"}) {
    EXPECT_EQ(ReadEntryComment(shown).state, v1::COMMENT_STATE_VISIBLE) << shown;
  }
  for (const char* const hidden : {"STATUS: Draft\n", "STATUS:\n", "VISIBLE: 0\n", "APPROVED: no\n",
                                   "STATUS: approved\nSTATUS: spam\n"}) {
    EXPECT_EQ(ReadEntryComment(hidden).state, v1::COMMENT_STATE_PENDING) << hidden;
  }
}

TEST(MovableType, RefusesWhatItCannotRead) {
  EXPECT_THAT(ReadEntry("", "caf\xE9").refused, ElementsAre(HasSubstr("is not UTF-8 text")));
  EXPECT_THAT(ReadEntry("", "caf\xE9").articles, IsEmpty());
  std::string many;
  for (int i = 0; i < 9; ++i) absl::StrAppend(&many, std::string(4 << 20, 'x'), "\n");
  EXPECT_THAT(ReadEntry("", many).refused, ElementsAre("entry Low water: is too large"));
  EXPECT_THAT(std::string(ReadEntry("", std::string(9 << 20, 'x')).status.message()),
              HasSubstr("line 6 has more than"));
  const ReadItems no_time = ReadEntry("", "x\n-----\nCOMMENT:\nAUTHOR: Jo\nDATE: 31/31/2008\nText");
  EXPECT_THAT(no_time.refused, ElementsAre(HasSubstr("has no date that can be read")));
}

TEST(MovableType, SurvivesOddFiles) {
  for (const char* const content :
       {"", "\n\n", "-----\n--------\n-----\n", "--------", "COMMENT:\n-----\nCOMMENT:\nx",
        "TITLE: x\n-----\nCOMMENT:\n-----\nCOMMENT:", "TITLE:\n-----\n-----\nBODY:\n-----\n"}) {
    EXPECT_TRUE(ReadExport(ReadMovableType, content).status.ok()) << content;
  }
}

TEST(MovableType, IsRecognized) {
  EXPECT_TRUE(BeginsLikeMovableType(kEntry));
  EXPECT_TRUE(BeginsLikeMovableType(absl::StrCat("\uFEFF\r\n", kEntry)));
  EXPECT_TRUE(BeginsLikeMovableType("TITLE: x\r\nSTATUS: Publish\r\n-----\r\nBODY:\r\nText"));
  EXPECT_FALSE(BeginsLikeMovableType("TITLE: x\n\nA text\n"));
  EXPECT_FALSE(BeginsLikeMovableType("Title: x\n-----\nBODY:\n"));
}

}  // namespace
}  // namespace content::transfer
