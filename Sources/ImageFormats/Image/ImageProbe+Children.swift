package import Storage

extension ImageProbe {
    /// Whether `other` is an image that says it has the one in `file` behind it, as its parent or backing file. It opens no
    /// file for that.
    package static func isChild(_ other: any ByteFile, of file: any ByteFile) -> Bool {
        guard other.identity != file.identity, let format = try? format(of: other),
            let driver = try? driver(for: format)
        else { return false }
        return driver.isChild(other, of: file)
    }
}

extension ImageDriver {
    /// By the name that it stores.
    package static func isChild(_ other: any ByteFile, of file: any ByteFile) -> Bool {
        let own = HostPath.name(of: file.path).hostBytes.displayText
        let references = (try? describe(other))?.references ?? []
        return references.contains { reference in
            guard ["parent", "backing file"].contains(reference.role) else { return false }
            let isAbsolute = reference.name.utf8.first == UInt8(ascii: "/")
            return ParentName(
                kind: isAbsolute ? .absolute : .relative, text: reference.name, source: reference.role
            ).sibling == own
        }
    }
}
