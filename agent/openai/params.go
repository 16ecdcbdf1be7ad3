package openai

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/agentls/agentls/agent"
)

// params returns req as the API takes it. The same items give the same bytes
// each time: providers cache by prefix.
func (m *Model) params(req *agent.Request) (responses.ResponseNewParams, error) {
	params := responses.ResponseNewParams{
		Model:        m.name,
		Instructions: param.NewOpt(req.Instructions),
		Store:        param.NewOpt(false),
	}
	for _, spec := range req.Tools {
		tool, err := m.tool(spec)
		if err != nil {
			return params, fmt.Errorf("tool %s: %w", spec.Name, err)
		}
		params.Tools = append(params.Tools, tool)
	}
	for _, item := range req.Items {
		params.Input.OfInputItemList = append(params.Input.OfInputItemList, inputItem(item))
	}
	m.extend(&params, req)
	return params, nil
}

// fillPercent is how much of the window a conversation fills before the server
// makes it shorter.
const fillPercent = 80

// extend adds what goes beyond the subset every server knows.
func (m *Model) extend(params *responses.ResponseNewParams, req *agent.Request) {
	params.Reasoning.Effort = shared.ReasoningEffort(cmp.Or(m.effort, req.Effort))
	if m.profile.reasoning {
		params.Reasoning.Effort = cmp.Or(params.Reasoning.Effort, shared.ReasoningEffort(req.UsualEffort))
		params.Reasoning.Summary = shared.ReasoningSummaryAuto
		params.Include = []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent}
	}
	if m.profile.promptCache && req.Session != "" {
		params.PromptCacheKey = param.NewOpt(req.Session)
	}
	if m.profile.obfuscation {
		params.StreamOptions.IncludeObfuscation = param.NewOpt(false)
	}
	if m.profile.compaction {
		params.ContextManagement = []responses.ResponseNewParamsContextManagement{
			{Type: "compaction", CompactThreshold: param.NewOpt(int64(m.profile.window) * fillPercent / 100)},
		}
	}
	if m.profile.parallel {
		params.ParallelToolCalls = param.NewOpt(true)
	}
}

func (m *Model) tool(spec agent.ToolSpec) (responses.ToolUnionParam, error) {
	if spec.Grammar != "" && m.profile.freeform {
		return responses.ToolUnionParam{OfCustom: &responses.CustomToolParam{
			Name:        spec.Name,
			Description: param.NewOpt(spec.Description),
			Format: shared.CustomToolInputFormatUnionParam{
				OfGrammar: &shared.CustomToolInputFormatGrammarParam{Syntax: "lark", Definition: spec.Grammar},
			},
		}}, nil
	}
	var schema map[string]any // marshalled with sorted keys
	if err := json.Unmarshal(spec.Parameters, &schema); err != nil {
		return responses.ToolUnionParam{}, fmt.Errorf("schema of the arguments: %w", err)
	}
	return responses.ToolUnionParam{OfFunction: &responses.FunctionToolParam{
		Name:        spec.Name,
		Description: param.NewOpt(spec.Description),
		Parameters:  schema,
		Strict:      param.NewOpt(false), // strict wants every argument to be required
	}}, nil
}

func inputItem(item agent.Item) responses.ResponseInputItemUnionParam {
	switch it := item.(type) {
	case agent.UserMessage:
		return responses.ResponseInputItemUnionParam{OfMessage: &responses.EasyInputMessageParam{
			Type:    responses.EasyInputMessageTypeMessage, // some servers need it said
			Role:    responses.EasyInputMessageRoleUser,
			Content: userContent(it),
		}}
	case agent.ModelItem:
		return param.Override[responses.ResponseInputItemUnionParam](it.Raw)
	case agent.ToolOutput:
		return toolOutput(it)
	}
	panic(fmt.Sprintf("item of type %T", item))
}

// userContent returns the text of a message and, behind it, its images.
func userContent(message agent.UserMessage) (content responses.EasyInputMessageContentUnionParam) {
	if len(message.Images) == 0 {
		content.OfString = param.NewOpt(message.Text)
		return content
	}
	parts := responses.ResponseInputMessageContentListParam{{OfInputText: &responses.ResponseInputTextParam{Text: message.Text}}}
	for _, image := range message.Images {
		parts = append(parts, responses.ResponseInputContentUnionParam{OfInputImage: &responses.ResponseInputImageParam{
			ImageURL: param.NewOpt(dataURL(image)), Detail: responses.ResponseInputImageDetailAuto,
		}})
	}
	content.OfInputItemContentList = parts
	return content
}

// dataURL returns image as an address that holds it. (RFC 2397)
func dataURL(image agent.Image) string {
	return "data:" + image.Type + ";base64," + base64.StdEncoding.EncodeToString(image.Data)
}

func toolOutput(out agent.ToolOutput) responses.ResponseInputItemUnionParam {
	if out.Freeform {
		return responses.ResponseInputItemParamOfCustomToolCallOutput(out.CallID, out.Text)
	}
	item := responses.ResponseInputItemParamOfFunctionCallOutput(out.Text)
	if len(out.Images) > 0 {
		item.OfFunctionCallOutput.Output = withImages(out)
	}
	item.OfFunctionCallOutput.CallID = param.NewOpt(out.CallID) // the constructor takes none
	return item
}

// withImages returns the output of a tool that shows images: its text, and
// each of them.
func withImages(out agent.ToolOutput) (content responses.ResponseInputItemFunctionCallOutputOutputUnionParam) {
	parts := responses.ResponseFunctionCallOutputItemListParam{{OfInputText: &responses.ResponseInputTextContentParam{Text: out.Text}}}
	for _, image := range out.Images {
		parts = append(parts, responses.ResponseFunctionCallOutputItemUnionParam{OfInputImage: &responses.ResponseInputImageContentParam{ImageURL: param.NewOpt(dataURL(image))}})
	}
	content.OfResponseFunctionCallOutputItemArray = parts
	return content
}
