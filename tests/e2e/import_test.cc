// `contentd import` as a user runs it.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "content/v1/admin_service.pb.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kPage[] =
    "By Ana Lima\n"
    "Thursday, June 12, 2025\n"
    "This is the first paragraph of the page and it\n"
    "is wrapped by whoever saved it as text, so that the lines are about this long.\n"
    "It ends here.\n"
    "The second paragraph begins on a line of its\n"
    "own and there is nothing between the two but the end of a line and a sentence.\n"
    "***\n"
    "The second section has one paragraph only.\n"
    "No comments:\n"
    "Post a Comment\n";

constexpr char kMarkdown[] = "---\ntitle: A Note\nauthor: Bo\ndate: 2025-01-02\n---\n\nText.\n";

// While it exists, the programs that this process starts read a file as their standard input.
class StandardInput {
 public:
  explicit StandardInput(const std::string& path) : original_(dup(STDIN_FILENO)) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    dup2(file, STDIN_FILENO);
    close(file);
  }
  ~StandardInput() {
    dup2(original_, STDIN_FILENO);
    close(original_);
  }

  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  const int original_;
};

class ImportTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = ScratchDirectory() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  Finished Import(
      std::vector<std::string> arguments,
      const std::function<void(const Running&)>& on_start = [](const Running&) {}) const {
    arguments.insert(arguments.begin(), {"import", "--database-url", url_});
    return RunContentd(arguments, {}, on_start);
  }

  // The beginning of a row of the table that an import prints.
  static std::string Counted(const std::string& label, int count) {
    return absl::StrFormat("%-24s %9d  articles/", label, count);
  }

  // A row of that table.
  static std::string Row(const std::string& label, int count, const std::string& names) {
    return absl::StrFormat("%-24s %9d  %s\n", label, count, names);
  }

  std::string Titles() const {
    return Query(url_, "SELECT string_agg(title, ', ' ORDER BY title) FROM article");
  }

  const std::string url_ = NewDatabase();
};

TEST_F(ImportTest, TheAuditTrailNamesTheUser) {
  const std::string note = Write("note.md", kMarkdown);
  EXPECT_EQ(Import({note}).status, 0);
  EXPECT_EQ(Import({note}).status, 0);
  EXPECT_EQ(Query(url_,
                  "SELECT string_agg(caller || ' ' || name || ' ' || action, ' ') "
                  "FROM audit_event"),
            absl::StrCat("os:", getpwuid(getuid())->pw_name, " note ",
                         static_cast<int>(v1::AUDIT_ACTION_IMPORT_ARTICLE)));
}

TEST_F(ImportTest, PutsATextPageInOnce) {
  const std::string page = Write("page.txt", kPage);
  const Finished first = Import({page, "--title", "A Page"});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, ::testing::StartsWith(Row("taken", 1, "articles/page")));
  EXPECT_EQ(first.err, "importing into the database that --database-url names\n");
  const Finished again = Import({page, "--title", "A Page"});
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.out, ::testing::StartsWith(Row("unchanged", 1, "articles/page")));
  EXPECT_EQ(Query(url_, "SELECT revision FROM article_state"), "1");
}

TEST_F(ImportTest, ATextPageNeedsATitle) {
  const std::string page = Write("page.txt", kPage);
  const Finished finished = Import({page});
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err,
              HasSubstr("contentd: " + page + ": there is no title above the byline; "));
}

TEST_F(ImportTest, ABadFileDoesNotKeepTheOthersOut) {
  const std::string bad = Write("bad.md", "---\ntitle: [\n---\nText.\n");
  const std::string absent = ScratchDirectory() + "/absent.md";
  const Finished finished = Import({bad, absent, Write("note.md", kMarkdown)});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr(bad + ": "));
  EXPECT_THAT(finished.err, HasSubstr(absent + ": cannot be read: No such file or directory\n"));
  EXPECT_EQ(Titles(), "A Note");
}

TEST_F(ImportTest, ReplacesOnlyWhatItIsToldTo) {
  const std::string other = Write("other.md", "---\ntitle: Other\nslug: note\n---\nText.\n");
  const std::string note = Write("note.md", kMarkdown);
  ASSERT_EQ(Import({note}).status, 0);
  const std::string edited = Write("note.md", std::string(kMarkdown) + "\nMore.\n");
  for (const std::vector<std::string>& arguments :
       {std::vector{edited}, {edited, "--id", "note"}, {other}}) {
    const Finished refused = Import(arguments);
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("articles/note "), Not(HasSubstr("--id")),
                                   Not(HasSubstr("--replace"))));
  }
  EXPECT_THAT(Import({edited}).err, EndsWith("articles/note is there with other content\n"));
  EXPECT_THAT(Import({other}).err, EndsWith("articles/note may be another article, \"A Note\"\n"));
  EXPECT_EQ(Query(url_, "SELECT body FROM article"), "Text.");
  const Finished replaced = Import({edited, "--replace"});
  EXPECT_EQ(replaced.status, 0) << replaced.err;
  EXPECT_EQ(replaced.out, Row("replaced", 1, "articles/note"));
  EXPECT_EQ(Query(url_, "SELECT body FROM article"), "Text.\n\nMore.");
}

TEST_F(ImportTest, ARetractedArticleStaysSo) {
  const std::string note = Write("note.md", kMarkdown);
  ASSERT_EQ(Import({note}).status, 0);
  Query(url_, "UPDATE article_state SET retracted = true RETURNING 1");
  const Finished refused = Import({note});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, EndsWith("articles/note is there, but was retracted\n"));
  const std::string edited = Write("note.md", std::string(kMarkdown) + "\nMore.\n");
  for (const std::vector<std::string>& arguments :
       {std::vector{edited, std::string("--replace")}, {edited, "--replace", "--id", "note"}}) {
    EXPECT_THAT(Import(arguments).err, EndsWith("articles/note is there, but was retracted\n"));
  }
  EXPECT_EQ(
      Query(url_, "SELECT retracted || body FROM article_state JOIN article USING (article_key)"),
      "trueText.");
}

TEST_F(ImportTest, AliasesAreFormerNames) {
  const std::string file = Write("aliases/own.md", "---\ntitle: T\naliases: /old/\n---\nText.\n");
  EXPECT_EQ(Import({file}).status, 0);
  EXPECT_EQ(Import({file}).out, Row("unchanged", 1, "articles/own"));
  EXPECT_EQ(Query(url_, "SELECT string_agg(name, ' ' ORDER BY name) FROM article_name"), "old own");
}

TEST_F(ImportTest, NothingIsReplacedUnderAFormerName) {
  const std::string first = Write("a.md", "---\ntitle: A\nslug: new\naliases: [/x/]\n---\nText.\n");
  const std::string second = Write("b.md", "---\ntitle: B\nslug: x\n---\nOther text.\n");
  EXPECT_EQ(Import({first}).status, 0);
  EXPECT_THAT(Import({second, "--replace"}).err,
              EndsWith("articles/x, now articles/new, may be another article, \"A\"\n"));
  EXPECT_EQ(Query(url_, "SELECT string_agg(body, ' ') FROM article"), "Text.");
}

// As when somebody moves an article, and gives another one its old address.
TEST_F(ImportTest, AnItemOfTheRunIsNotRenamedForAnother) {
  const std::string file = "---\ntitle: Notes\nslug: ";
  for (const char* order : {"12", "21"}) {
    for (const bool replaces : {false, true}) {
      const std::string folder = absl::StrCat("notes-", order, replaces);
      const auto name = [&](char number) {
        return absl::StrCat(folder, "-", std::string(1, number));
      };
      Write(absl::StrCat(folder, "/", std::string(1, order[0]), ".md"),
            absl::StrCat(file, name('1'), "\n---\nFirst.\n"));
      Write(absl::StrCat(folder, "/", std::string(1, order[1]), ".md"),
            absl::StrCat(file, name('2'), "\naliases: [/", name('1'), "/]\n---\nSecond.\n"));
      std::vector<std::string> arguments = {ScratchDirectory() + "/" + folder};
      if (replaces) arguments.emplace_back("--replace");
      const Finished first = Import(arguments);
      const Finished again = Import(arguments);
      EXPECT_EQ(Query(url_, absl::StrCat("SELECT body FROM article JOIN article_name USING "
                                         "(article_key) WHERE name = '",
                                         name('2'), "'")),
                "Second.");
      // If the second one is in before the first is read, the name leads to it.
      if (order[0] == '2') continue;
      EXPECT_THAT(first.out, StartsWith(Counted("taken", 2)));
      EXPECT_THAT(again.out, StartsWith(Counted("unchanged", 2)));
    }
  }
}

TEST_F(ImportTest, ARenamedArticleCountsAsReplaced) {
  const auto write = [this](const std::string& front_matter) {
    return Write("renamed.md",
                 absl::StrCat("---\ntitle: T\ndate: 2020-01-01\n", front_matter, "\n---\nText.\n"));
  };
  ASSERT_EQ(Import({write("slug: before")}).status, 0);
  const std::string renamed = write("slug: after\naliases: [/before/]");
  EXPECT_THAT(Import({renamed}).err,
              EndsWith("articles/after is here as articles/before; rename that first, or put this "
                       "in its place with --replace\n"));
  EXPECT_EQ(Import({renamed, "--replace"}).out,
            Row("replaced", 1, "articles/after") + "Notes: the article was renamed (1)\n");
  EXPECT_EQ(Import({renamed, "--replace"}).out, Row("unchanged", 1, "articles/after"));
}

// Two folders may have files of one name and one title.
TEST_F(ImportTest, AFileOfAnotherDateIsNotReplaced) {
  const auto write = [this](const std::string& name, const std::string& date) {
    return Write(name, absl::StrCat("---\ntitle: Weekly\ndate: ", date, "\n---\nOf ", date, ".\n"));
  };
  ASSERT_EQ(Import({write("one/weekly.md", "2020-01-01")}).status, 0);
  // This may as well be the same file with its date corrected, so it does not come in as a new one.
  const std::string other = write("two/weekly.md", "2021-06-01");
  for (const std::vector<std::string>& arguments : {std::vector{other}, {other, "--replace"}}) {
    EXPECT_THAT(Import(arguments).err,
                EndsWith("articles/weekly may be another article, of 2020-01-01\n"));
  }
  ASSERT_EQ(Import({write("2020-03-04-links.md", "2020-03-04")}).status, 0);
  const std::string corrected = write("2020-03-04-links.md", "2020-03-09");
  EXPECT_THAT(Import({corrected, "--replace"}).err,
              EndsWith("articles/links may be another article, of 2020-03-04\n"));
  EXPECT_EQ(Query(url_, "SELECT string_agg(body, ' ' ORDER BY body) FROM article"),
            "Of 2020-01-01. Of 2020-03-04.");
  // Together, they are two.
  const std::string folder = ScratchDirectory() + "/weeklies";
  write("weeklies/a/weeklies.md", "2020-01-01");
  write("weeklies/b/weeklies.md", "2021-06-01");
  for (const char* outcome : {"taken", "unchanged"}) {
    EXPECT_THAT(Import({folder, "--replace"}).out, StartsWith(Counted(outcome, 2)));
  }
}

TEST_F(ImportTest, AFileWithoutADateIsReplaced) {
  const std::string file = Write("notes/tar.md", "# Tar\n\nBlack.\n");
  Write("notes/rope.md", "# Rope\n\nThick.\n");
  Write("notes/tar.png", "no text");
  Write("notes/tar.md~", "# Tar\n\nWhite.\n");
  const std::string folder = ScratchDirectory() + "/notes";
  ASSERT_EQ(Import({folder}).status, 0);
  Write("notes/tar.md", "# Tar\n\nBlack and thick.\n");
  EXPECT_THAT(Import({folder}).err,
              EndsWith(file + ": articles/tar is there with other content\n"));
  EXPECT_THAT(Import({folder, "--replace"}).out, HasSubstr(Row("replaced", 1, "articles/tar")));
}

TEST_F(ImportTest, NothingIsReplacedIfTheFileHasNoName) {
  ASSERT_EQ(Import({Write("заметка.md", "# Tar\n\nBlack.\n")}).status, 0);
  EXPECT_THAT(Import({Write("другая.md", "# Tar\n\nWhite.\n"), "--replace"}).err,
              HasSubstr("articles/tar is there with other content, and only the title tells"));
}

TEST_F(ImportTest, NothingIsReplacedForItsTitleAlone) {
  const std::string folder = ScratchDirectory() + "/introductions";
  std::filesystem::remove_all(folder);  // of another run of this test
  const auto write = [this](const std::string& of, const std::string& text) {
    return Write(absl::StrCat("introductions/", of, "/readme.md"),
                 absl::StrCat("# Introduction\n\n", text, "\n"));
  };
  write("a", "Of a.");
  write("b", "Of b.");
  ASSERT_EQ(Import({folder}).status, 0);
  const std::string added = write("0", "Of 0.");
  const Finished finished = Import({folder, "--replace"});
  EXPECT_THAT(finished.out, StartsWith(Counted("unchanged", 2)));
  EXPECT_THAT(finished.err,
              EndsWith(added + ": articles/readme is there with other content, and only the title "
                               "tells that it is this article\n"));
  EXPECT_EQ(Query(url_, "SELECT string_agg(body, ' ' ORDER BY body) FROM article"),
            "# Introduction\n\nOf a. # Introduction\n\nOf b.");
  // The user says which one it is.
  const std::string edited = write("b", "Of b, edited.");
  EXPECT_EQ(Import({edited, "--replace"}).out, Row("replaced", 1, "articles/b-readme"));
}

TEST_F(ImportTest, AnArticleThatWasRetractedStaysSoUnderItsOtherName) {
  Write("2014/2014-05-06-links.md", "---\ntitle: Links\n---\nOf the first week.\n");
  const std::string second =
      Write("2014/2014-05-13-links.md", "---\ntitle: Links\n---\nOf the second week.\n");
  ASSERT_EQ(Import({ScratchDirectory() + "/2014"}).status, 0);
  Query(url_, "UPDATE article_state SET retracted = true RETURNING 1");
  EXPECT_THAT(Import({second, "--replace"}).err,
              EndsWith("articles/2014-05-13-links is there, but was retracted\n"));
}

// Its id depends on what else was imported.
TEST_F(ImportTest, AFileImportedAloneFindsItsArticle) {
  Write("links/2014-05-06-links.md", "---\ntitle: Links\n---\nOf the first week.\n");
  const std::string second =
      Write("links/2014-05-13-links.md", "---\ntitle: Links\n---\nOf the second week.\n");
  ASSERT_EQ(Import({ScratchDirectory() + "/links"}).status, 0);
  EXPECT_EQ(Import({second}).out, Row("unchanged", 1, "articles/2014-05-13-links"));
  EXPECT_EQ(Import({second, "--replace"}).out, Row("unchanged", 1, "articles/2014-05-13-links"));
  Write("links/2014-05-13-links.md", "---\ntitle: Links\n---\nOf another week.\n");
  EXPECT_THAT(Import({second}).err,
              EndsWith("articles/2014-05-13-links is there with other content\n"));
  EXPECT_EQ(Import({second, "--replace"}).out, Row("replaced", 1, "articles/2014-05-13-links"));
  EXPECT_EQ(Query(url_, "SELECT string_agg(body, ' ' ORDER BY body) FROM article"),
            "Of another week. Of the first week.");
}

TEST_F(ImportTest, NothingIsReplacedUnderAnIdThatWasMadeButTheSameArticle) {
  const auto write = [this](const std::string& name, const std::string& title) {
    return Write(name, absl::StrCat("---\ntitle: ", title, "\n---\nText of ", name, ".\n"));
  };
  ASSERT_EQ(Import({write("one/page.md", "One"), write("2014-05-06-links.md", "Links"),
                    write("漢.md", "Ruby 3 漢")})
                .status,
            0);
  const auto problem = [this](const std::string& file) { return Import({file, "--replace"}).err; };
  EXPECT_THAT(problem(write("two/page.md", "Two")),
              EndsWith("articles/page may be another article, \"One\"\n"));
  EXPECT_THAT(problem(write("字.md", "Ruby 3 字")),
              EndsWith("articles/ruby-3 may be another article, \"Ruby 3 漢\"\n"));
  // Its own date tells that it is another one.
  EXPECT_EQ(Import({write("2014-06-03-links.md", "Links"), "--replace"}).out,
            Row("taken", 1, "articles/2014-06-03-links"));
  EXPECT_EQ(Query(url_, "SELECT max(revision) || ' ' || count(*) FROM article_state"), "1 4");
  // The user says which one it is.
  EXPECT_EQ(Import({write("two/page.md", "Two"), "--replace", "--id", "page"}).out,
            Row("replaced", 1, "articles/page"));
  EXPECT_EQ(Import({write("2014-05-06-links.md", "Links"), "--replace"}).out,
            Row("unchanged", 1, "articles/links"));
  write("2014-05-06-links.md", "Links");
}

TEST_F(ImportTest, TakesFoldersWithMoreFilesThanAreOnTheirWayAtOnce) {
  constexpr int kCount = 1'234;
  for (int i = 0; i < kCount; ++i) {
    Write(absl::StrCat("folder/", i % 7, "/post-", i, ".md"), kMarkdown);
  }
  const std::string folder = ScratchDirectory() + "/folder";
  Write("folder/3/z.md", "---\ntitle: A post\nslug: post-3\n---\nText.\n");
  const std::string lines = ScratchDirectory() + "/report.jsonl";
  const Finished first = Import({folder, "--report", lines});
  EXPECT_EQ(first.status, 1);
  EXPECT_THAT(first.out,
              HasSubstr(absl::StrCat("taken                        1,234  articles/post-")));
  EXPECT_THAT(first.err,
              HasSubstr(absl::StrCat("folder/3/z.md: articles/post-3 is already that of ", folder,
                                     "/3/post-3.md\n")));
  EXPECT_EQ(Query(url_, "SELECT count(*) FROM article"), "1234");
  std::ifstream report(lines);
  int count = 0;
  for (std::string line; std::getline(report, line); ++count) EXPECT_THAT(line, StartsWith("{"));
  EXPECT_EQ(count, kCount + 1);
  const Finished again = Import({folder});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.out, StartsWith("unchanged                    1,234  "));
  EXPECT_EQ(Query(url_, "SELECT max(revision) FROM article_state"), "1");
}

TEST_F(ImportTest, ReadsStandardInput) {
  const std::string note = Write("note.md", kMarkdown);
  const StandardInput input(note);
  const Finished finished = Import({"-"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(finished.out, Row("taken", 1, "articles/a-note"));
}

// The database is locked, so what went to it is not answered until the test lets it.
TEST_F(ImportTest, ASignalEndsItAfterTheCurrentBatch) {
  constexpr int kCount = 3'000;
  for (int i = 0; i < kCount; ++i) Write(absl::StrCat("many/post-", i, ".md"), kMarkdown);
  const std::string folder = ScratchDirectory() + "/many";
  Session session(url_);
  session.Run("BEGIN; LOCK TABLE article_feed");
  const Finished stopped = Import({folder}, [&](const Running& running) {
    AwaitWaitersForLocks(url_, 1);
    kill(running.pid, SIGINT);
    session.Run("COMMIT");
  });
  EXPECT_EQ(stopped.status, 1);
  EXPECT_THAT(stopped.err, HasSubstr("Run the same command again to go on"));
  const int in = std::stoi(Query(url_, "SELECT count(*) FROM article"));
  EXPECT_GT(in, 0);
  EXPECT_LT(in, kCount);
  EXPECT_EQ(Import({folder}).status, 0);
  EXPECT_EQ(Query(url_, "SELECT count(*) || ' ' || max(revision) FROM article_state"), "3000 1");
}

// It waits for a database that does not answer, or for a file that does not end.
TEST_F(ImportTest, ASecondSignalEndsItAtOnce) {
  const std::string pipe = ScratchDirectory() + "/pipe.md";
  std::filesystem::remove(pipe);  // of another run of this test
  ASSERT_EQ(mkfifo(pipe.c_str(), S_IRUSR | S_IWUSR), 0);
  Session session(url_);
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string note = Write(absl::StrCat("note-", signal, ".md"), kMarkdown);
    session.Run("BEGIN; LOCK TABLE article_feed");
    const Finished ended = Import({note, pipe}, [&](const Running& running) {
      AwaitWaitersForLocks(url_, 1);
      kill(running.pid, signal);
      running.await_message("one more signal ends it at once\n");
      kill(running.pid, signal);
    });
    EXPECT_EQ(ended.status, -signal);
    EXPECT_THAT(ended.err, HasSubstr("one more signal ends it at once\n"));
    session.Run("ROLLBACK");  // so that nobody waits when the next one begins
    EXPECT_EQ(Import({note}).status, 0);
  }
}

TEST_F(ImportTest, ADryRunNeedsNoDatabase) {
  const Finished finished = RunContentd(
      {"import", "--dry-run", "--database-url", "host=/nowhere", Write("n.md", kMarkdown)});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(finished.out, Row("valid", 1, "articles/n"));
}

TEST_F(ImportTest, TheFormatCanBeGiven) {
  const Finished finished = Import({"--format", "markdown", Write("note", kMarkdown)});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(Titles(), "A Note");
}

TEST_F(ImportTest, ADatabaseWithoutTheSchemaIsRefused) {
  const Finished finished = RunContentd(
      {"import", Write("note.md", kMarkdown), "--database-url", NewDatabase(/*migrated=*/false)});
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, HasSubstr("contentd migrate"));
}

TEST_F(ImportTest, NamesTheKeysThatItIgnores) {
  const std::string file =
      Write("more.md", "---\ntitle: More\nsubtitle: Less\nlayout: post\n---\nText.\n");
  constexpr char kIgnored[] = "Keys that were ignored: layout (1), subtitle (1)\n";
  EXPECT_THAT(Import({file}).out, EndsWith(kIgnored));
  EXPECT_THAT(Import({file, "--dry-run"}).out, EndsWith(kIgnored));
}

TEST_F(ImportTest, AReportThatCannotBeWrittenIsRefusedFirst) {
  const Finished finished =
      Import({Write("note.md", kMarkdown), "--report", ScratchDirectory() + "/absent/report"});
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, HasSubstr("contentd: --report: "));
  EXPECT_EQ(Titles(), "");
}

TEST_F(ImportTest, AReportNeverOverwritesAnythingElse) {
  const std::string folder = ScratchDirectory() + "/reported";
  const std::string link = ScratchDirectory() + "/link.jsonl";
  std::filesystem::remove_all(folder);
  std::filesystem::remove(link);
  const std::string note = Write("reported/note.md", kMarkdown);
  std::filesystem::create_symlink(note, link);
  for (const std::string& report : {note, link}) {
    const Finished refused = Import({note, "--report", report});
    EXPECT_EQ(refused.status, 2);
    EXPECT_EQ(refused.out, "");
    EXPECT_THAT(refused.err,
                EndsWith(absl::StrCat("contentd: --report: ", report,
                                      " is there, and is no report; give another file\n")));
  }
  // An earlier report is one, and no report is an article.
  for (int run = 0; run < 2; ++run) {
    const Finished finished = Import({folder, "--report", folder + "/report"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_THAT(finished.out, HasSubstr(Row("left out", 1, folder + "/report")));
  }
  EXPECT_EQ(Titles(), "A Note");
}

TEST_F(ImportTest, NamesEveryFaultOfEveryFile) {
  const std::string one = Write("one.md", "---\ntitle: \"One\n---\nText.\n");
  const std::string two = Write("two.md", "---\ndate: soon\ntags: {a: b}\n---\nText.\n");
  const Finished finished = Import({one, two});
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err,
              AllOf(HasSubstr("contentd: " + one + ": line 2: a quoted text is not closed\n"),
                    HasSubstr("contentd: " + two + ": line 2: \"soon\" is not a date"),
                    HasSubstr("contentd: " + two + ": line 3: tags must be text or a list\n")));
}

TEST(ImportIntoAnEmbeddedDatabase, UsesTheServersOneAndStartsItIfNoServerRuns) {
  const std::string data_dir = ScratchDirectory() + "/shared";
  std::filesystem::remove_all(data_dir);  // of another run of this test
  const std::string note = ScratchDirectory() + "/note.md";
  std::ofstream(note) << kMarkdown;
  ContentdServer server({"--data-dir", data_dir});
  const Finished beside = RunContentd({"import", note, "--data-dir", data_dir});
  EXPECT_EQ(beside.status, 0) << beside.err;
  EXPECT_THAT(beside.out, StartsWith("taken "));
  EXPECT_EQ(beside.err, "importing into the embedded database in " + data_dir +
                            ", which a running server uses\n");
  Client client(server.address());
  v1::GetArticleRequest request;
  request.set_name("articles/note");
  v1::GetArticleResponse response;
  ASSERT_TRUE(
      Client::Call(&v1::ContentService::Stub::GetArticle, client.content(), request, response)
          .ok());
  EXPECT_EQ(response.article().authors(0).display_name(), "Bo");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
  const Finished alone = RunContentd({"import", note}, {"CONTENT_DATA_DIR=" + data_dir});
  EXPECT_EQ(alone.status, 0) << alone.err;
  EXPECT_THAT(alone.out, StartsWith("unchanged"));
  EXPECT_EQ(alone.err,
            "importing into the embedded database in " + data_dir + ", which no server uses now\n");
}

TEST(OneShotCommands, NeverCreateADatabase) {
  const std::string note = ScratchDirectory() + "/note.md";
  std::ofstream(note) << kMarkdown;
  const std::string absent = ScratchDirectory() + "/absent/data";
  const std::string empty = ScratchDirectory() + "/empty";
  std::filesystem::create_directory(empty);
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"import", note}, {"migrate"}}) {
    const int failed = command.front() == "import" ? 2 : 1;
    const auto run = [&command](const std::string& data_dir) {
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), {"--data-dir", data_dir});
      return RunContentd(arguments);
    };
    const Finished without_directory = run(absent);
    EXPECT_EQ(without_directory.status, failed);
    EXPECT_THAT(without_directory.err,
                StartsWith("contentd: the data directory " + absent + " does not exist; give "));
    EXPECT_FALSE(std::filesystem::exists(ScratchDirectory() + "/absent"));
    const Finished without_database = run(empty);
    EXPECT_EQ(without_database.status, failed);
    EXPECT_THAT(without_database.err, StartsWith("contentd: there is no database in " + empty));
    EXPECT_TRUE(std::filesystem::is_empty(empty));
    EXPECT_THAT(run(note).err, StartsWith("contentd: there is no database in " + note));
  }
}

TEST(OneShotCommands, RefuseTwoAnswersToWhichDatabase) {
  const Finished finished = RunContentd({"import", "x.md", "--data-dir", ScratchDirectory() + "/d"},
                                        {"CONTENT_DATABASE_URL=host=/nowhere"});
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, StartsWith("contentd: CONTENT_DATABASE_URL and --data-dir name two "));
}

TEST(UnknownVariables, AreWarnedAboutOnceByEveryCommand) {
  const std::string url = NewDatabase();
  const std::vector<std::string> environment = {"CONTENT_LOG_LEVL=debug", "CONTENT_PORT=1"};
  const std::string note = ScratchDirectory() + "/note.md";
  std::ofstream(note) << kMarkdown;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"migrate", "--database-url", url},
        std::vector<std::string>{"import", note, "--database-url", url}}) {
    const Finished finished = RunContentd(arguments, environment);
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_THAT(finished.err, AllOf(HasSubstr(R"("event":"unknown variable")"),
                                    HasSubstr(R"("variable":"CONTENT_LOG_LEVL")"),
                                    HasSubstr(R"("did_you_mean":"CONTENT_LOG_LEVEL")")));
    EXPECT_EQ(finished.err.find("unknown"), finished.err.rfind("unknown"));
  }
  // The warning comes first.
  const Finished serve =
      RunContentd({"serve", "--database-url", NewDatabase(/*migrated=*/false)}, environment);
  EXPECT_THAT(serve.err, HasSubstr(R"("did_you_mean":"CONTENT_LOG_LEVEL")"));
}

}  // namespace
}  // namespace content::testing
