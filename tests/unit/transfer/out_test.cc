// What an export writes, and what import makes of it.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "content/rules.h"
#include "google/protobuf/util/message_differencer.h"
#include "google/protobuf/util/time_util.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/ndjson.h"
#include "transfer/out/exporter.h"
#include "transfer/out/markdown_file.h"
#include "transfer/out/ndjson.h"
#include "transfer/out/output.h"
#include "transfer/parse.h"

namespace content::transfer {
namespace {

namespace fs = std::filesystem;

using google::protobuf::util::MessageDifferencer;
using google::protobuf::util::TimeUtil;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kId[] = "0197653c-1af0-7000-8000-000000000001";
constexpr char kReplyId[] = "0197653c-1af0-7000-8000-000000000002";

// An article with every field that there is.
StoredArticle MakeStored() {
  StoredArticle stored{.article = {}, .key = 2936012800000, .retracted = false, .former_names = {}};
  v1::Article& article = stored.article;
  article.set_name("articles/a-note");
  article.set_title("A \"note\": #1 'and' <more> \\ [x]");
  v1::Author& author = *article.add_authors();
  author.set_display_name("Ada, Countess");
  author.set_id("ada");
  author.set_uri("https://example.org/ada");
  article.add_authors()->set_display_name("Bo: the second");
  article.set_language_code("pt-BR");
  article.set_summary("Two traps.");
  article.set_body("# One\n\nText with  \nbreaks.\n\n---\n\ntitle: no front matter\n\n---\n");
  article.add_tags("two words, one");
  article.add_tags("- dash");
  article.set_source_uri("https://example.org/a?b=c#d");
  article.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);
  EXPECT_TRUE(TimeUtil::FromString("2025-06-12T08:30:00.123456Z", article.mutable_publish_time()));
  EXPECT_TRUE(CompleteArticle("article", article).ok());
  EXPECT_TRUE(TimeUtil::FromString("2025-06-13T09:00:00Z", article.mutable_update_time()));
  article.set_comment_count(7);
  article.set_revision(9);
  article.set_etag("8");
  stored.former_names = {"former", "older"};
  return stored;
}

v1::Comment MakeComment() {
  v1::Comment comment;
  comment.set_name(absl::StrCat("articles/a-note/comments/", kReplyId));
  comment.set_reply_to(absl::StrCat("articles/a-note/comments/", kId));
  comment.mutable_author()->set_id("user");
  comment.mutable_author()->set_display_name("A Reader");
  comment.set_body("Line\nwith \"quotes\"");
  comment.set_state(v1::COMMENT_STATE_HIDDEN);
  EXPECT_TRUE(TimeUtil::FromString("2025-06-12T08:30:00.000001Z", comment.mutable_create_time()));
  EXPECT_TRUE(TimeUtil::FromString("2025-06-12T08:31:00Z", comment.mutable_update_time()));
  comment.set_edit_count(2);
  comment.set_depth(1);
  comment.set_reply_count(3);
  comment.set_revision(4);
  comment.set_etag("4");
  return comment;
}

class OutTest : public ::testing::Test {
 protected:
  OutTest() : root_(fs::path(::testing::TempDir()) / absl::StrCat("content-out-", getpid())) {
    fs::create_directories(root_);
  }
  ~OutTest() override { fs::remove_all(root_); }
  OutTest(const OutTest&) = delete;
  OutTest& operator=(const OutTest&) = delete;

  std::string Path(const std::string& name) const { return (root_ / name).string(); }

  static std::string Content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::vector<std::string> FilesIn(const fs::path& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  const fs::path root_;
};

// ---- Lines of JSON ----

// Remembers what a reader hands over.
class CollectingSink : public ExportSink {
 public:
  void SetOrigin(absl::string_view /*origin*/) override {}
  bool Take(ExportedArticle article) override {
    articles.push_back(std::move(article));
    return goes_on;
  }
  bool Take(ExportedComment comment) override {
    comments.push_back(std::move(comment));
    return goes_on;
  }
  bool LeaveOut(ItemKind /*kind*/, absl::string_view label, absl::string_view /*reason*/) override {
    ADD_FAILURE() << label << " is left out";
    return goes_on;
  }
  bool Refuse(ItemKind /*kind*/, absl::string_view label, absl::string_view problem) override {
    refused.push_back(absl::StrCat(label, ": ", problem));
    return goes_on;
  }

  std::vector<ExportedArticle> articles;
  std::vector<ExportedComment> comments;
  std::vector<std::string> refused;
  bool goes_on = true;
};

class NdjsonTest : public OutTest {
 protected:
  absl::Status Read(const std::string& content) {
    const std::string path = Path("export.ndjson");
    std::ofstream(path, std::ios::binary) << content;
    const auto file = ExportFile::Open(path, "");
    if (!file.ok()) return file.status();
    return ReadNdjson(**file, sink_);
  }

  static std::string Export(const std::string& lines, int articles, int comments) {
    return absl::StrCat(kNdjsonHead, "\n", lines,
                        NdjsonEnd({.articles = articles, .comments = comments}));
  }

  CollectingSink sink_;
};

TEST_F(NdjsonTest, LinesAreTheContractsJson) {
  v1::Article article;
  article.set_name("articles/a");
  article.set_title("A");
  article.set_body("Text.");
  article.set_revision(3);
  article.set_etag("2");
  EXPECT_EQ(NdjsonLine(StoredArticle{article, 17, true, {"b"}}),
            "{\"key\":\"17\",\"article\":{\"name\":\"articles/a\",\"title\":\"A\","
            "\"body\":\"Text.\"},\"retracted\":true,\"formerNames\":[\"articles/b\"]}\n");
  v1::Comment comment;
  comment.set_name("articles/a/comments/b");
  comment.set_state(v1::COMMENT_STATE_DELETED);
  comment.set_revision(3);
  EXPECT_EQ(NdjsonLine(comment),
            "{\"comment\":{\"name\":\"articles/a/comments/b\","
            "\"state\":\"COMMENT_STATE_DELETED\"}}\n");
  EXPECT_EQ(NdjsonEnd({.articles = 1, .comments = 2}), "{\"articles\":\"1\",\"comments\":\"2\"}\n");
}

TEST_F(NdjsonTest, AnArticleIsReadAsItWas) {
  StoredArticle stored = MakeStored();
  stored.retracted = true;
  ASSERT_TRUE(Read(Export(NdjsonLine(stored), 1, 0)).ok());
  ASSERT_THAT(sink_.articles, SizeIs(1));
  const ExportedArticle& read = sink_.articles[0];
  EXPECT_EQ(read.key, "articles/a-note");
  EXPECT_THAT(read.file.former_names, ElementsAre("former", "older"));
  ASSERT_TRUE(read.restoration);
  EXPECT_EQ(read.restoration->key, stored.key);
  EXPECT_TRUE(read.restoration->retracted);
  EXPECT_EQ(absl::FormatTime(read.restoration->update_time, absl::UTCTimeZone()),
            "2025-06-13T09:00:00+00:00");
  v1::Article article = read.file.article;
  ASSERT_TRUE(CompleteArticle("article", article).ok());
  for (const int field :
       {v1::Article::kUpdateTimeFieldNumber, v1::Article::kCommentCountFieldNumber,
        v1::Article::kRevisionFieldNumber, v1::Article::kEtagFieldNumber}) {
    const auto* const descriptor = v1::Article::descriptor()->FindFieldByNumber(field);
    stored.article.GetReflection()->ClearField(&stored.article, descriptor);
  }
  EXPECT_TRUE(MessageDifferencer::Equals(article, stored.article)) << article.DebugString();
}

TEST_F(NdjsonTest, ACommentIsReadAsItWas) {
  ASSERT_TRUE(Read(Export(NdjsonLine(MakeComment()), 0, 1)).ok());
  ASSERT_THAT(sink_.comments, SizeIs(1));
  const ExportedComment& read = sink_.comments[0];
  EXPECT_EQ(read.comment_id, kReplyId);
  EXPECT_EQ(read.parent_comment_id, kId);
  EXPECT_EQ(read.article_key, "articles/a-note");
  EXPECT_EQ(read.author_id, "user");
  EXPECT_EQ(read.author_name, "A Reader");
  EXPECT_EQ(read.body, "Line\nwith \"quotes\"");
  EXPECT_EQ(read.state, v1::COMMENT_STATE_HIDDEN);
  EXPECT_EQ(read.edit_count, 2);
  EXPECT_EQ(read.update_time - read.create_time, absl::Minutes(1) - absl::Microseconds(1));
}

TEST_F(NdjsonTest, AnExportThatWasCutOffIsAnErrorAfterWhatItHas) {
  const std::string article = NdjsonLine(MakeStored());
  const std::string head = absl::StrCat(kNdjsonHead, "\n");
  EXPECT_THAT(Read(head + article).message(), HasSubstr("was cut off"));
  EXPECT_THAT(sink_.articles, SizeIs(1));
  EXPECT_THAT(Read(head + article + article.substr(0, 40)).message(), HasSubstr("was cut off"));
  EXPECT_THAT(sink_.refused, ElementsAre(StartsWith("line 3: ")));
  EXPECT_THAT(Read(Export(article, 2, 0)).message(), HasSubstr("has lost lines"));
  EXPECT_TRUE(Read(absl::StrCat(kNdjsonHead, "\n", NdjsonEnd({}))).ok()) << "it is empty";
}

TEST_F(NdjsonTest, ABadLineDoesNotStopTheOthers) {
  const std::string lines =
      absl::StrCat("{\"article\":{\"title\":7}}\n", "{\"comment\":{}}\n",
                   absl::StrReplaceAll(NdjsonLine(MakeComment()), {{"STATE_HIDDEN", "STATE_NEW"}}),
                   NdjsonLine(MakeComment()));
  EXPECT_TRUE(Read(Export(lines, 1, 3)).ok());
  EXPECT_THAT(sink_.refused, ElementsAre(StartsWith("line 2: "), "line 3: the comment has no name",
                                         "line 4: the comment has no state"));
  EXPECT_THAT(sink_.comments, SizeIs(1));
}

TEST_F(NdjsonTest, ALineThatIsNoItemDoesNotStopTheOthers) {
  const std::string comment = NdjsonLine(MakeComment());
  const std::string lines =
      absl::StrCat("\n", "\xff garbage\n", "{\"article\":null}\n", "{}\n \r\n", "\"",
                   std::string(size_t{17} << 20, 'x'), "\"\n", comment);
  EXPECT_TRUE(Read(Export(lines, 1, 1)).ok());
  EXPECT_THAT(sink_.refused,
              ElementsAre("line 3: the line is not JSON", "line 4: the article has no name",
                          "line 5: the line is neither an article nor a comment",
                          "line 7: the line is too long"));
  EXPECT_THAT(sink_.comments, SizeIs(1));
  EXPECT_THAT(Read(Export("garbage\n" + comment, 0, 2)).message(), HasSubstr("has lost lines"));
}

TEST_F(NdjsonTest, AnUnknownCommentPolicyOpensNothing) {
  const std::string line =
      absl::StrReplaceAll(NdjsonLine(MakeStored()), {{"PREMODERATED", "MEMBERS"}});
  EXPECT_TRUE(Read(Export(line, 1, 0)).ok());
  EXPECT_THAT(sink_.refused, ElementsAre("line 2: the article has no comment policy"));
}

TEST_F(NdjsonTest, OtherVersionsAreRefused) {
  EXPECT_TRUE(BeginsLikeNdjson(kNdjsonHead));
  EXPECT_FALSE(BeginsLikeNdjson("{\"posts\":[]}"));
  const std::string head = absl::StrReplaceAll(kNdjsonHead, {{"1", "2"}});
  EXPECT_TRUE(BeginsLikeNdjson(head));
  EXPECT_THAT(Read(head + "\n").message(), HasSubstr("version 2"));
  EXPECT_THAT(Read("{\"format\":\"contentd-export\"").message(), HasSubstr("version 0"));
}

TEST_F(NdjsonTest, AReaderThatIsToldToStopStops) {
  sink_.goes_on = false;
  const std::string article = NdjsonLine(MakeStored());
  EXPECT_TRUE(Read(Export(article + article, 2, 0)).ok());
  EXPECT_THAT(sink_.articles, SizeIs(1));
}

TEST_F(NdjsonTest, LinesAreReadAcrossPieces) {
  StoredArticle stored = MakeStored();
  std::string lines;
  for (int i = 0; i < 300; ++i) {
    stored.article.set_body(std::string(static_cast<size_t>(i * 7), 'x') + ".");
    lines += NdjsonLine(stored);
  }
  ASSERT_TRUE(Read(Export(lines, 300, 0)).ok());
  ASSERT_THAT(sink_.articles, SizeIs(300));
  for (size_t i = 0; i < 300; ++i) {
    EXPECT_EQ(sink_.articles[i].file.article.body().size(), i * 7 + 1);
  }
}

// ---- Markdown ----

class MarkdownFileTest : public ::testing::Test {};

TEST_F(MarkdownFileTest, HasTheKeysOfHugoAndJekyll) {
  StoredArticle stored = MakeStored();
  stored.article.set_title("A note");
  stored.article.set_body("Text.");
  stored.article.set_comment_policy(v1::COMMENT_POLICY_OPEN);
  EXPECT_EQ(MarkdownFileName(stored), "2025-06-12-a-note.md");
  EXPECT_EQ(MarkdownFile(stored),
            "---\n"
            "title: \"A note\"\n"
            "date: 2025-06-12T08:30:00.123456Z\n"
            "lastmod: 2025-06-13T09:00:00Z\n"
            "slug: \"a-note\"\n"
            "authors:\n"
            "  - name: \"Ada, Countess\"\n"
            "    id: \"ada\"\n"
            "    url: \"https://example.org/ada\"\n"
            "  - name: \"Bo: the second\"\n"
            "tags:\n"
            "  - \"two words, one\"\n"
            "  - \"- dash\"\n"
            "description: \"Two traps.\"\n"
            "lang: \"pt-BR\"\n"
            "canonical_url: \"https://example.org/a?b=c#d\"\n"
            "aliases:\n"
            "  - \"/former/\"\n"
            "  - \"/older/\"\n"
            "---\n\nText.\n");
  stored.retracted = true;
  EXPECT_THAT(MarkdownFile(stored), HasSubstr("draft: true\npublished: false\n---\n"));
}

TEST_F(MarkdownFileTest, IsImportedAsTheSameArticle) {
  const StoredArticle stored = MakeStored();
  const auto parsed =
      Parse(MarkdownFile(stored), Format::kMarkdown, {}, "posts/" + MarkdownFileName(stored));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_TRUE(parsed->restoration);
  EXPECT_EQ(absl::ToUnixSeconds(parsed->restoration->update_time),
            stored.article.update_time().seconds());
  v1::Article expected = stored.article;
  expected.clear_update_time();
  expected.clear_comment_count();
  expected.clear_revision();
  expected.clear_etag();
  // White space at the end says nothing.
  expected.set_body(std::string(absl::StripTrailingAsciiWhitespace(expected.body())));
  ASSERT_TRUE(CompleteArticle("article", expected).ok());
  std::string difference;
  MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(expected, parsed->article)) << difference;
}

TEST_F(MarkdownFileTest, WhatGeneratorsWouldTakeForTheirOwnStaysText) {
  StoredArticle stored = MakeStored();
  EXPECT_THAT(MarkdownFile(stored), Not(HasSubstr("liquid")));
  for (const char* body : {"{{ site.title }}", "{% raw %}"}) {
    stored.article.set_body(body);
    const std::string file = MarkdownFile(stored);
    EXPECT_THAT(file, HasSubstr("render_with_liquid: false\n---\n"));
    const auto parsed = Parse(file, Format::kMarkdown, {});
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->article.body(), body);
    EXPECT_THAT(parsed->ignored_keys, IsEmpty());
  }
}

TEST_F(MarkdownFileTest, TakesNoncharacters) {
  StoredArticle stored = MakeStored();
  stored.article.set_title("A \uFFFE and a \uFFFF");
  const auto parsed = Parse(MarkdownFile(stored), Format::kMarkdown, {});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->article.title(), stored.article.title());
}

// ---- Where it goes ----

using OutputTest = OutTest;

TEST_F(OutputTest, AFileHasItsNameOnceItIsComplete) {
  const std::string path = Path("export");
  {
    auto file = OutputFile::Open(path, "head");
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE(file->Write(std::string(100'000, 'x')).ok());
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_THAT(FilesIn(root_), IsEmpty()) << "it was given up";
  auto file = OutputFile::Open(path, "head");
  ASSERT_TRUE(file->Write("head and more").ok());
  ASSERT_TRUE(file->Complete().ok());
  EXPECT_EQ(Content(path), "head and more");
  EXPECT_THAT(FilesIn(root_), ElementsAre("export"));
}

TEST_F(OutputTest, ReplacesOnlyExports) {
  const std::string path = Path("file");
  std::ofstream(path) << "head, an older export";
  auto file = OutputFile::Open(path, "head");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Write("head").ok());
  ASSERT_TRUE(file->Complete().ok());
  EXPECT_EQ(Content(path), "head");

  std::ofstream(path) << "something else";
  EXPECT_THAT(OutputFile::Open(path, "head").status().message(), HasSubstr("is no export"));
  EXPECT_EQ(Content(path), "something else");
  EXPECT_THAT(OutputFile::Open(root_.string(), "head").status().message(),
              HasSubstr("is a folder"));
  EXPECT_FALSE(OutputFile::Open(Path("absent/file"), "head").ok());
}

TEST_F(OutputTest, ALinkStaysOne) {
  std::ofstream(Path("actual")) << "head";
  fs::create_symlink("actual", Path("link"));
  auto file = OutputFile::Open(Path("link"), "head");
  ASSERT_TRUE(file->Write("new").ok());
  ASSERT_TRUE(file->Complete().ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(Content(Path("actual")), "new");
}

TEST_F(OutputTest, ALinkToNothingStaysOne) {
  fs::create_symlink("absent", Path("link"));
  EXPECT_THAT(OutputFile::Open(Path("link"), "head").status().message(),
              HasSubstr("is a link to nothing"));
  EXPECT_THAT(FilesIn(root_), ElementsAre("link"));
}

TEST_F(OutputTest, OnlyItsOwnerMayReadANewFile) {
  const auto mode_after_export = [&] {
    auto file = OutputFile::Open(Path("export"), "head");
    EXPECT_TRUE(file->Write("head").ok() && file->Complete().ok());
    return fs::status(Path("export")).permissions();
  };
  constexpr fs::perms kOwner = fs::perms::owner_read | fs::perms::owner_write;
  EXPECT_EQ(mode_after_export(), kOwner);
  fs::permissions(Path("export"), kOwner | fs::perms::group_read);
  EXPECT_EQ(mode_after_export(), kOwner | fs::perms::group_read) << "that of the file before";
}

TEST_F(OutputTest, WhatAKilledExportHasLeftIsInNoOnesWay) {
  auto killed = OutputFile::Open(Path("export"), "head");
  auto file = OutputFile::Open(Path("export"), "head");
  ASSERT_TRUE(file.ok()) << file.status();
  auto killed_folder = OutputFolder::Open(Path("posts"));
  auto folder = OutputFolder::Open(Path("posts"));
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_THAT(FilesIn(root_), Each(EndsWith(".partial")));
}

TEST_F(OutputTest, AReaderThatDoesNotReadIsNotAwaitedOnceItIsStopped) {
  const std::string path = Path("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  int asked = 0;
  auto file = OutputFile::Open(path, "head", [&] { return ++asked > 1; });
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(absl::IsCancelled(file->Write(std::string(size_t{4} << 20, 'x'))));
  EXPECT_EQ(asked, 2);
  close(reader);
}

TEST_F(OutputTest, WhatIsNoFileIsWrittenToAsItIs) {
  auto file = OutputFile::Open("/dev/full", "head");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Write("text").ok());
  EXPECT_THAT(file->Complete().message(), HasSubstr("/dev/full: No space left on device"));
}

TEST_F(OutputTest, AReaderThatIsGoneIsAnError) {
  signal(SIGPIPE, SIG_IGN);  // as main does
  const std::string path = Path("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  auto file = OutputFile::Open(path, "head");
  ASSERT_TRUE(file.ok()) << file.status();
  close(reader);
  ASSERT_TRUE(file->Write("text").ok());
  EXPECT_THAT(file->Complete().message(), HasSubstr("Broken pipe"));
}

TEST_F(OutputTest, AFolderHasItsNameOnceItIsComplete) {
  const std::string path = Path("posts/");
  {
    auto folder = OutputFolder::Open(path);
    ASSERT_TRUE(folder.ok()) << folder.status();
    EXPECT_TRUE(folder->Write("a.md", "text").ok());
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_THAT(FilesIn(root_), IsEmpty()) << "it was given up";
  fs::create_directory(path);
  auto folder = OutputFolder::Open(path);
  ASSERT_TRUE(folder->Write("a.md", "text").ok());
  ASSERT_TRUE(folder->Complete().ok());
  EXPECT_EQ(Content(Path("posts/a.md")), "text");
  EXPECT_THAT(OutputFolder::Open(path).status().message(), HasSubstr("is not empty"));
  EXPECT_FALSE(OutputFolder::Open(Path("posts/a.md")).ok()) << "a file";
}

// ---- All of it ----

// A store with one article and a comment on it.
class SmallStore : public Exporting {
 public:
  void Export(CallContext /*context*/, ExportQuery /*query*/, ExportVisitor& visitor,
              Callback<void> done) override {
    has_gone_on = visitor.Visit(MakeStored()) && visitor.Visit(MakeComment());
    std::move(done)(status);
  }

  absl::Status status;
  bool has_gone_on = false;
};

using ExporterTest = OutTest;

TEST_F(ExporterTest, WritesLinesOrFiles) {
  SmallStore store;
  const auto lines = ExportAll({.output = Path("lines")}, store);
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_EQ(lines->articles, 1);
  EXPECT_EQ(lines->comments, 1);
  EXPECT_EQ(Content(Path("lines")), absl::StrCat(kNdjsonHead, "\n", NdjsonLine(MakeStored()),
                                                 NdjsonLine(MakeComment()), NdjsonEnd(*lines)));
  const auto files = ExportAll({.format = OutputFormat::kMarkdown, .output = Path("files")}, store);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->comments, 0);
  EXPECT_THAT(FilesIn(root_ / "files"), ElementsAre("2025-06-12-a-note.md"));
}

TEST_F(ExporterTest, LeavesNothingBehindIfItFailsOrIsStopped) {
  SmallStore store;
  EXPECT_EQ(ExportAll({.output = Path("lines"), .is_stopped = [] { return true; }}, store)
                .status()
                .code(),
            absl::StatusCode::kCancelled);
  EXPECT_FALSE(store.has_gone_on);
  store.status = absl::UnavailableError("gone");
  for (const OutputFormat format : {OutputFormat::kNdjson, OutputFormat::kMarkdown}) {
    EXPECT_EQ(ExportAll({.format = format, .output = Path("out")}, store).status().message(),
              "gone");
  }
  EXPECT_THAT(FilesIn(root_), IsEmpty());
}

TEST_F(ExporterTest, StopsWhenItCannotWrite) {
  SmallStore store;
  EXPECT_THAT(ExportAll({.output = "/dev/full"}, store).status().message(), HasSubstr("/dev/full"));
}

}  // namespace
}  // namespace content::transfer
