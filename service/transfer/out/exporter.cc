#include "transfer/out/exporter.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/await.h"
#include "base/clock.h"
#include "transfer/out/markdown_file.h"
#include "transfer/out/ndjson.h"
#include "transfer/out/output.h"

namespace content::transfer {
namespace {

constexpr absl::Duration kProgressInterval = absl::Milliseconds(100);

// Counts what it passes on, and ends the export when it is stopped or cannot go on.
class CountingVisitor : public ExportVisitor {
 public:
  explicit CountingVisitor(const OutputOptions& options) : options_(options) {}

  bool Visit(StoredArticle article) final {
    ++counts_.articles;
    return GoesOn(Write(std::move(article)));
  }

  bool Visit(v1::Comment comment) final {
    counts_.comments += TakesComments() ? 1 : 0;
    return GoesOn(Write(std::move(comment)));
  }

  // The first error.
  const absl::Status& status() const { return status_; }
  const ExportCounts& counts() const { return counts_; }

  // Call it once everything is written.
  virtual absl::Status Complete() = 0;

  void ClearProgress() const {
    if (options_.progress != nullptr) *options_.progress << "\r\x1b[K" << std::flush;
  }

 private:
  virtual absl::Status Write(StoredArticle article) = 0;
  virtual absl::Status Write(v1::Comment comment) = 0;
  virtual bool TakesComments() const { return true; }

  bool GoesOn(absl::Status written) {
    status_ = std::move(written);
    if (status_.ok() && options_.is_stopped()) status_ = absl::CancelledError("it was stopped");
    if (status_.ok()) ShowProgress();
    return status_.ok();
  }

  void ShowProgress() {
    if (options_.progress == nullptr) return;
    const SteadyTime now = SteadyNow();
    if (now - shown_ < kProgressInterval) return;
    shown_ = now;
    *options_.progress << "\r\x1b[K" << counts_.articles << " articles, " << counts_.comments
                       << " comments" << std::flush;
  }

  const OutputOptions& options_;
  ExportCounts counts_;
  absl::Status status_;
  SteadyTime shown_ = SteadyNow();
};

class NdjsonVisitor : public CountingVisitor {
 public:
  NdjsonVisitor(const OutputOptions& options, OutputFile& file)
      : CountingVisitor(options), file_(file) {}

  absl::Status Complete() override {
    absl::Status status = file_.Write(NdjsonEnd(counts()));
    return status.ok() ? file_.Complete() : status;
  }

 private:
  absl::Status Write(StoredArticle article) override {
    return file_.Write(NdjsonLine(std::move(article)));
  }
  absl::Status Write(v1::Comment comment) override {
    return file_.Write(NdjsonLine(std::move(comment)));
  }

  OutputFile& file_;
};

class MarkdownVisitor : public CountingVisitor {
 public:
  MarkdownVisitor(const OutputOptions& options, OutputFolder& folder)
      : CountingVisitor(options), folder_(folder) {}

  absl::Status Complete() override { return folder_.Complete(); }

 private:
  absl::Status Write(StoredArticle article) override {
    return folder_.Write(MarkdownFileName(article), MarkdownFile(article));
  }
  absl::Status Write(v1::Comment /*comment*/) override { return absl::OkStatus(); }
  bool TakesComments() const override { return false; }

  OutputFolder& folder_;
};

absl::StatusOr<ExportCounts> ExportTo(CountingVisitor& visitor, const OutputOptions& options,
                                      Exporting& store) {
  absl::Status status = Await<void>(
      [&](Callback<void> done) { store.Export({}, options.query, visitor, std::move(done)); });
  visitor.ClearProgress();
  status.Update(visitor.status());
  if (status.ok()) status = visitor.Complete();
  if (!status.ok()) return status;
  return visitor.counts();
}

}  // namespace

absl::StatusOr<ExportCounts> ExportAll(const OutputOptions& options, Exporting& store) {
  if (options.format == OutputFormat::kMarkdown) {
    absl::StatusOr<OutputFolder> folder = OutputFolder::Open(options.output);
    if (!folder.ok()) return folder.status();
    MarkdownVisitor visitor(options, *folder);
    return ExportTo(visitor, options, store);
  }
  absl::StatusOr<OutputFile> file =
      OutputFile::Open(options.output, kNdjsonHead, options.is_stopped);
  if (!file.ok()) return file.status();
  absl::Status status = file->Write(absl::StrCat(kNdjsonHead, "\n"));
  if (!status.ok()) return status;
  NdjsonVisitor visitor(options, *file);
  return ExportTo(visitor, options, store);
}

}  // namespace content::transfer
