internal import Storage

extension ParentName {
    /// The way from `child` to `parent` as Windows writes it: `.\base.vhd`, `..\bases\base.vhd`.
    static func relativePath(
        of parent: String, from child: String, in files: any ByteFileStore
    ) -> String {
        let steps = relativeSteps(of: parent, from: child, in: files)
        return ((steps.first == ".." ? [] : ["."]) + steps).joined(separator: "\\")
    }

    /// The names to go by from the directory of `child` to `parent`, ".." for each that is left.
    static func relativeSteps(
        of parent: String, from child: String, in files: any ByteFileStore
    ) -> [String] {
        // Through links to the directories' own places: a lexical way would count them wrongly.
        func steps(_ path: String) -> [Substring] {
            let directory = HostPath.directory(of: path)
            let place = files.resolved(directory) ?? files.absolutePath(directory)
            return (place + "/" + HostPath.name(of: path)).utf8.split(separator: UInt8(ascii: "/"))
                .map { Substring($0) }.filter { $0 != "." }
        }
        let target = steps(parent)
        let start = steps(child).dropLast()
        var common = 0
        while common < start.count, common < target.count - 1, start[common] == target[common] { common += 1 }
        let up = [String](repeating: "..", count: start.count - common)
        return up + target[common...].map(String.init)
    }
}
