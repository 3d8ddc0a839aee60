internal import Storage

/// A shell script under construction: words are quoted, long commands broken.
struct ShellScript {
    private var lines: [String]

    /// Begins one that stops at the first command which fails, in the directory that it lies in.
    init(comments: [String]) {
        lines = ["#!/bin/sh"] + comments.map { "# \($0)" } + ["set -eu", "cd \"$(dirname \"$0\")\""]
    }

    /// A word that the shell takes literally.
    static func word(_ text: String) -> String { Array(text.utf8).shellText }

    /// Adds a line as it is.
    mutating func add(_ line: String) { lines.append(line) }

    /// Adds a command and its arguments, which are quoted already, one to a line.
    mutating func add(_ command: String, _ arguments: [String]) {
        lines.append(([command] + arguments).joined(separator: " \\\n    "))
    }

    /// The script.
    var text: String { lines.joined(separator: "\n") + "\n" }
}
