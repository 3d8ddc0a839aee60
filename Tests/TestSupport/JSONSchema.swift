internal import Foundation

/// Checks JSON against the part of JSON Schema (draft 2020-12) that docs/*.schema.json use. A keyword that is not known
/// here is a failure, so that a schema cannot say more than is checked.
public struct JSONSchema {
    private let root: [String: Any]
    private static let remarks: Set<String> = ["$schema", "$defs", "title", "description"]

    public struct Malformed: Error {}

    public init(_ bytes: [UInt8]) throws {
        guard let root = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
            throw Malformed()
        }
        self.root = root
    }

    /// What is wrong with a document, a sentence each; empty when it is as the schema says.
    public func problems(_ document: [UInt8]) throws -> [String] {
        check(try JSONSerialization.jsonObject(with: Data(document)), root, "$")
    }

    private func check(_ value: Any, _ schema: [String: Any], _ path: String) -> [String] {
        var problems: [String] = []
        for (keyword, argument) in schema where !Self.remarks.contains(keyword) {
            switch keyword {
            case "$ref":
                let name = (argument as? String)?.split(separator: "/").last.map(String.init) ?? ""
                guard let target = (root["$defs"] as? [String: Any])?[name] as? [String: Any] else {
                    problems.append("\(path): no definition \(name)")
                    continue
                }
                problems += check(value, target, path)
            case "type":
                if !Self.isType(argument as? String, value) {
                    problems.append("\(path): \(value) is no \(argument)")
                }
            case "enum":
                let words = argument as? [String] ?? []
                if !words.contains(value as? String ?? "") {
                    problems.append("\(path): \(value) is none of \(words)")
                }
            case "minimum":
                if let number = value as? Int, let least = argument as? Int, number < least {
                    problems.append("\(path): \(number) is below \(least)")
                }
            case "items":
                for (index, item) in (value as? [Any] ?? []).enumerated() {
                    problems += check(item, argument as? [String: Any] ?? [:], "\(path)[\(index)]")
                }
            case "properties":
                for (name, inner) in argument as? [String: [String: Any]] ?? [:] {
                    if let found = (value as? [String: Any])?[name] {
                        problems += check(found, inner, "\(path).\(name)")
                    }
                }
            case "required":
                for name in argument as? [String] ?? [] where (value as? [String: Any])?[name] == nil {
                    problems.append("\(path): \(name) is missing")
                }
            case "additionalProperties":
                let known = Set((schema["properties"] as? [String: Any] ?? [:]).keys)
                for name in (value as? [String: Any] ?? [:]).keys where !known.contains(name) {
                    problems.append("\(path): \(name) is not in the schema")
                }
            default: problems.append("\(path): the schema's keyword \(keyword) is not checked")
            }
        }
        return problems
    }

    private static func isType(_ type: String?, _ value: Any) -> Bool {
        // Foundation reads true and 1 as numbers both; only their kind tells them apart.
        let isTruth = (value as? NSNumber).map { unsafe String(cString: $0.objCType) == "c" } ?? false
        switch type {
        case "object": return value is [String: Any]
        case "array": return value is [Any]
        case "string": return value is String
        case "boolean": return isTruth || value is Bool
        case "integer": return !isTruth && value is Int
        default: return false
        }
    }
}
