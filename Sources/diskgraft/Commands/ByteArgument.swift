import ArgumentParser
import DiskGraft

/// An argument that names something in the guest: the bytes that the caller gave, UTF-8 or not. Paths of the host stay
/// strings in `String.init(hostBytes:)`'s form, which `HostFile` and `HostDirectory` take.
struct ByteArgument: ExpressibleByArgument, Equatable {
    let bytes: [UInt8]

    /// From the form in which `exactArguments` hands arguments to the parser.
    init(argument: String) { bytes = argument.hostBytes }

    var defaultValueDescription: String { shown }

    /// For messages.
    var shown: String { bytes.shellText }
}

/// An argument that is a path in the guest. An empty one, which a shell makes of a variable that is not set, is none: it
/// would mean the root.
struct PathArgument: ExpressibleByArgument, Equatable {
    let path: GuestPath

    init(_ path: GuestPath) { self.path = path }

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        path = GuestPath(argument)
    }

    var defaultValueDescription: String { shown }

    /// For messages.
    var shown: String { path.shellText }
}

/// The command's arguments as the kernel has them. `CommandLine.arguments` has U+FFFD for what is not UTF-8, and so
/// would name another file; and it is empty where /proc is not mounted, or no file descriptor is left.
func exactArguments() -> [String] {
    HostArguments.all.dropFirst().map(separating)
}

/// The parser looks for "=" among characters, and there is none where an accent follows: the accent goes byte by byte
/// then.
private func separating(_ argument: String) -> String {
    guard argument.utf8.first == UInt8(ascii: "-"),
        let equals = argument.unicodeScalars.firstIndex(of: "="), !argument.contains("=")
    else { return argument }
    let value = argument.unicodeScalars[equals...].dropFirst()
    return String(argument.unicodeScalars[...equals])
        + String(value.prefix(1)).withBytesEscaped + String(value.dropFirst())
}
