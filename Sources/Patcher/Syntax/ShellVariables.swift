/// A file of shell assignments that others source: /etc/default/grub, /etc/sysconfig/*, conf.d/resume. Knows
/// where each value lies; anything that is no plain assignment is left alone.
package struct ShellVariables: Sendable, Equatable {
    /// One assignment.
    package struct Assignment: Sendable, Equatable {
        /// The variable.
        package var name: String
        /// The value's bytes, without quotes around them.
        package var valueRange: Range<Int>
        /// The quote that encloses the value.
        package var quote: UInt8?
        /// The value as it is written, escapes and all.
        package var text: String
        /// Command substitution, variables or escapes are in it.
        package var isOpaque: Bool
    }

    /// The assignments in order; the last of a name wins.
    package var assignments: [Assignment] = []

    /// The last assignment of a name.
    package func last(_ name: String) -> Assignment? { assignments.last { $0.name == name } }

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        var position = 0
        while position < bytes.count {
            let lineEnd = bytes[position...].firstIndex(of: .newline) ?? bytes.count
            let line = bytes.trimmed(position..<lineEnd)
            guard let (name, start) = Self.nameAndValue(bytes, line) else {
                position = lineEnd + 1
                continue
            }
            let quote: UInt8? =
                start < bytes.count && (bytes[start] == .doubleQuote || bytes[start] == .singleQuote)
                ? bytes[start] : nil
            let value: Range<Int>
            if let quote {
                // A quoted value may run over several lines; one that never ends is no assignment.
                guard let end = Self.closingQuote(bytes, quote, from: start + 1) else {
                    position = lineEnd + 1
                    continue
                }
                value = start + 1..<end
            } else {
                var end = start
                while end < lineEnd, !bytes[end].isBlank, bytes[end] != .carriageReturn,
                    bytes[end] != UInt8(ascii: ";")
                { end += 1 }
                value = start..<end
            }
            let opaque: [UInt8] = quote == .singleQuote ? [] : [.dollar, .backquote, .backslash]
            assignments.append(
                Assignment(
                    name: name, valueRange: value, quote: quote, text: bytes.text(value),
                    isOpaque: bytes.containsAny(of: opaque, in: value)))
            position = (bytes[value.upperBound...].firstIndex(of: .newline) ?? bytes.count) + 1
        }
    }

    /// `NAME=` or `export NAME=` at the head of a line: the name and where the value begins.
    private static func nameAndValue(_ bytes: [UInt8], _ line: Range<Int>) -> (String, Int)? {
        var start = line.lowerBound
        if bytes.has("export ", at: start, in: line) {
            start = bytes.trimmed(start + 7..<line.upperBound).lowerBound
        }
        guard start < line.upperBound, bytes[start].isNameCharacter, !bytes[start].isDigit else { return nil }
        var end = start
        while end < line.upperBound, bytes[end].isNameCharacter { end += 1 }
        var equals = end
        if bytes.has("+=", at: equals, in: line) { equals += 1 }
        guard equals < line.upperBound, bytes[equals] == .equals else { return nil }
        return (bytes.text(start..<end), equals + 1)
    }

    private static func closingQuote(_ bytes: [UInt8], _ quote: UInt8, from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            if bytes[index] == quote { return index }
            index += bytes[index] == .backslash && quote == .doubleQuote ? 2 : 1
        }
        return nil
    }
}

extension ShellVariables {
    /// The devices in values that are kernel arguments.
    func argumentSites(in bytes: [UInt8]) -> [DeviceSite] {
        assignments.flatMap { assignment -> [DeviceSite] in
            if Self.holdsArguments(assignment.name) { return assignment.argumentSites(in: bytes) }
            guard assignment.name == "GRUB_DEVICE" else { return [] }
            var site = assignment.deviceSite
            site.use = .sharedKernelArgument(name: assignment.name)
            return [site]
        }
    }

    /// The same, with values that are a device by themselves.
    func settingSites(in bytes: [UInt8]) -> [DeviceSite] {
        assignments.flatMap { assignment -> [DeviceSite] in
            if Self.holdsArguments(assignment.name) { return assignment.argumentSites(in: bytes) }
            switch assignment.name {
            case "root", "RESUME": return [assignment.deviceSite]
            case "boot": return [.loaderDisk(bytes, assignment.valueRange)]
            default: return []
            }
        }
    }

    /// The swap areas that a system resumes from.
    func resumeSites(in bytes: [UInt8]) -> [DeviceSite] {
        assignments.filter { $0.name == "RESUME" }.map(\.deviceSite)
    }

    private static func holdsArguments(_ name: String) -> Bool {
        name.hasPrefix("GRUB_CMDLINE_") || name.hasSuffix("_APPEND") || name == "EXTLINUX_ROOT"
            || name == "EXTLINUX_PARAMETERS" || name == "default_kernel_opts"
    }

    /// The arguments in the last of the assignments of these names, the first name's that is there: it is the one that counts.
    func permanentLine(_ names: [String], in bytes: [UInt8]) -> [SharedCommandLine] {
        guard let last = names.lazy.compactMap({ self.last($0) }).first else { return [] }
        return [Self.line(last, in: bytes)]
    }

    private static func line(_ assignment: Assignment, in bytes: [UInt8]) -> SharedCommandLine {
        SharedCommandLine(
            line: KernelCommandLine(bytes, in: assignment.valueRange),
            emptyPlace: assignment.valueRange.lowerBound, isOneWord: assignment.quote == nil)
    }

    /// The kernel arguments that every kernel gets. What only a hypervisor or the failsafe entry gets is none.
    func argumentLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        assignments.filter { assignment in
            guard !assignment.name.contains("XEN"), !assignment.name.contains("FAILSAFE") else {
                return false
            }
            return assignment.name.hasPrefix("GRUB_CMDLINE_LINUX") || assignment.name == "DEFAULT_APPEND"
                || assignment.name == "EXTLINUX_PARAMETERS" || assignment.name == "default_kernel_opts"
        }.map { Self.line($0, in: bytes) }
    }
}

extension ShellVariables.Assignment {
    /// A value that is a device, for the argument of the variable's name.
    fileprivate var deviceSite: DeviceSite {
        DeviceSite(
            range: valueRange, text: text, use: .sharedKernelArgument(name: name.lowercased()),
            isOpaque: isOpaque)
    }

    fileprivate func argumentSites(in bytes: [UInt8]) -> [DeviceSite] {
        KernelCommandLine(bytes, in: valueRange).sharedDeviceSites(in: bytes)
    }
}
