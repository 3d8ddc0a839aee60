import TestSupport

extension TreeModel {
    /// Compares with what debugfs takes out of the image.
    func check(dumpedBy image: Image) throws {
        let target = image.directory.path("dump")
        try Tool.run("mkdir", ["-p", target])
        try Tool.run("debugfs", ["-R", "rdump / \(target)", image.path])
        try check(treeAt: target)
    }
}
