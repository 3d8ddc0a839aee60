/// What a reader can do about something. Who shows a sentence names the way in his own words: the command by its flags,
/// a program by its own menus.
package enum PlanRemedy: Hashable, Sendable {
    /// Saying which of the given disks a name stands for; nil: one of several names.
    case stateDisk(String?)
    /// Asking for a repair that is advice unless asked for.
    case ask(Repair)
    /// Saying which address a card, by its name or old address, has on the target.
    case stateAddress(String)
    /// Choosing the target of that name instead.
    case choose(target: Target)
    /// Making the distribution's rescue or fallback entry the default.
    case fallbackEntry
    /// Putting the disk behind another controller.
    case controller(Controller)
    /// Copying the disk without a change to the guest.
    case convert
}

/// A sentence for people, in which remedies are still to be named.
package struct Sentence: Hashable, Sendable, ExpressibleByStringInterpolation {
    private enum Piece: Hashable, Sendable {
        case text(String)
        case remedy(PlanRemedy)
    }

    private var pieces: [Piece] = []

    package init(stringLiteral text: String) { append(text) }

    package init(stringInterpolation: StringInterpolation) { self = stringInterpolation.sentence }

    /// A sentence without remedies.
    package init(_ text: String) { append(text) }

    /// The text, with each remedy named by `name`.
    package func text(naming name: (PlanRemedy) -> String) -> String {
        pieces.reduce(into: "") { text, piece in
            switch piece {
            case .text(let words): text += words
            case .remedy(let remedy): text += name(remedy)
            }
        }
    }

    /// The text with remedies in plain words.
    package var plain: String { text(naming: \.plain) }

    private mutating func append(_ text: String) {
        guard !text.isEmpty else { return }
        if case .text(let before) = pieces.last {
            pieces[pieces.count - 1] = .text(before + text)
        } else {
            pieces.append(.text(text))
        }
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sentence = Sentence("")

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) { sentence.append(literal) }

        /// Words.
        package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            sentence.append(value.description)
        }

        /// A remedy, to be named by who shows the sentence.
        package mutating func appendInterpolation(remedy: PlanRemedy) {
            sentence.pieces.append(.remedy(remedy))
        }

        /// A sentence within the sentence.
        package mutating func appendInterpolation(_ other: Sentence) {
            for piece in other.pieces {
                switch piece {
                case .text(let words): sentence.append(words)
                case .remedy: sentence.pieces.append(piece)
                }
            }
        }
    }
}

extension PlanRemedy {
    /// The remedy in words that fit every program.
    package var plain: String {
        switch self {
        case .stateDisk(let name?): "stating the disk of \(name)"
        case .stateDisk(nil): "stating its disk"
        case .ask(let repair): "the repair “\(repair.rawValue)”"
        case .stateAddress(let card): "stating the new address of \(card)"
        case .choose(let target): "the target \(target)"
        case .fallbackEntry: "the rescue or fallback entry as the default"
        case .controller(let controller): "the controller \(controller.rawValue)"
        case .convert: "a plain conversion"
        }
    }
}
