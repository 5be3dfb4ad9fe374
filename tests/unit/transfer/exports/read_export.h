#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/hand_over.h"

namespace content::transfer {

/// What a reader made of an export.
class ReadItems : public ExportSink {
 public:
  /// Stops the reader after so many items.
  explicit ReadItems(size_t max_items) : max_items_(max_items) {}

  void SetOrigin(absl::string_view name) override { origin = std::string(name); }

  bool Take(ExportedArticle article) override {
    if (!article.left_out.empty()) {
      return LeaveOut(ItemKind::kArticle, article.label, article.left_out);
    }
    articles.push_back(std::move(article));
    return GoOn();
  }

  bool Take(ExportedComment comment) override {
    const absl::Status text = MakePlainText(comment);
    if (!text.ok()) {
      const std::string label = absl::StrCat("comment ", comment.source_id);
      return Refuse(ItemKind::kComment, label, text.message());
    }
    comments.push_back(std::move(comment));
    return GoOn();
  }

  bool LeaveOut(ItemKind /*kind*/, absl::string_view label, absl::string_view reason) override {
    left_out.push_back(absl::StrCat(label, ": ", reason));
    return GoOn();
  }

  bool Refuse(ItemKind /*kind*/, absl::string_view label, absl::string_view problem) override {
    refused.push_back(absl::StrCat(label, ": ", problem));
    return GoOn();
  }

  bool is_stopped() const override {
    ++questions;
    return !GoOn();
  }

  absl::Status status;
  std::string origin;
  mutable int questions = 0;  // how often it was asked whether to stop
  std::vector<ExportedArticle> articles;
  std::vector<ExportedComment> comments;
  std::vector<std::string> left_out;
  std::vector<std::string> refused;

 private:
  bool GoOn() const {
    return articles.size() + comments.size() + left_out.size() + refused.size() < max_items_;
  }

  const size_t max_items_;
};

/// Reads an export that is a file of its own.
inline ReadItems ReadExport(ExportReader reader, absl::string_view content,
                            size_t max_items = std::numeric_limits<size_t>::max()) {
  std::string path = ::testing::TempDir() + "/export-XXXXXX";
  const int descriptor = mkstemp(path.data());
  EXPECT_GE(descriptor, 0);
  close(descriptor);
  std::ofstream(path, std::ios::binary) << content;
  ReadItems items(max_items);
  const auto file = ExportFile::Open(path, content.substr(0, ExportFile::kHeadBytes));
  EXPECT_TRUE(file.ok()) << file.status();
  if (file.ok()) items.status = reader(**file, items);
  std::filesystem::remove(path);
  return items;
}

}  // namespace content::transfer
