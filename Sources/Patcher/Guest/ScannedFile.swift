package import GuestTree

/// A configuration file with its bytes, its syntax and its device names.
package struct ScannedFile: Sendable {
    /// The path that it was looked for under.
    package var path: String
    /// The file behind it.
    package var file: GuestFile
    /// Its bytes.
    package var bytes: [UInt8]
    /// The parsed text.
    package var syntax: any ConfigurationSyntax
    /// The device names in it.
    package var sites: [DeviceSite]
    /// The files that its commands read, by the words that name them there.
    var includedFiles: [String: FileKey] = [:]

    /// Reads a file by a syntax. `path` is the one that it was looked for under.
    init(_ path: String, _ file: GuestFile, _ syntax: any ConfigurationSyntax.Type, _ bytes: [UInt8]) {
        self.path = path
        self.file = file
        self.bytes = bytes
        self.syntax = syntax.init(bytes, path: path)
        sites = self.syntax.deviceSites(in: bytes)
    }

    /// All of it as text.
    var text: String { bytes.text(0..<bytes.count) }
    /// The name of its syntax.
    package var kind: ConfigurationKind { type(of: syntax).kind }
    /// Its syntax as a boot loader's menu; nil for all else.
    var menuType: (any BootMenu.Type)? { type(of: syntax).bootMenu }
    /// It is one entry of a menu that many files make.
    var isOneEntryOfMany: Bool { menuType?.isOneEntryOfMany == true }
    /// The kernels that it offers.
    package var bootEntries: [BootEntry] { syntax.bootMenu?.entries ?? [] }
}

/// A file together with the syntax that it was read by.
package struct ParsedFile<Syntax: ConfigurationSyntax>: Sendable {
    /// The file.
    package var file: ScannedFile
    /// Its parsed text.
    package var syntax: Syntax
}
